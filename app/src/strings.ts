// Every word that a person reads, in one place.

import type { DeviceProblem } from './media/devices';
import type { EndReason } from './state/roomState';

export const t = {
  appName: 'Althing',
  tagline: 'Meet face to face, from your browser.',
  taglineMore: 'No account, nothing to install. Choose a name, share the link.',
  roomName: 'Room name',
  roomPlaceholder: 'for example: team-meeting',
  enterRoom: 'Enter room',
  anotherName: 'Suggest another name',
  roomHint: (path: string) => `Your room will be at ${path}`,

  yourName: 'Your name',
  namePlaceholder: 'How others see you',
  nameNeeded: 'Please say your name, so that others know who you are.',
  join: 'Join now',
  joinWithout: 'Join without microphone and camera',
  joining: 'Joining…',
  ready: 'Ready to join?',
  devices: 'Devices',
  microphone: 'Microphone',
  camera: 'Camera',
  speaker: 'Speaker',
  defaultDevice: 'System default',
  noDevices: 'None found',
  cameraOff: 'Camera is off',
  cameraStarting: 'Starting camera…',
  micLevel: 'Microphone level',
  micOffHint: 'Microphone is off',
  testSpeaker: 'Play a test sound',

  mute: 'Mute',
  unmute: 'Unmute',
  cameraStop: 'Stop camera',
  cameraStart: 'Start camera',
  shareScreen: 'Share screen',
  stopSharing: 'Stop sharing',
  chat: 'Chat',
  people: 'People',
  raiseHand: 'Raise hand',
  lowerHand: 'Lower hand',
  settings: 'Settings',
  fullScreen: 'Full screen',
  exitFullScreen: 'Leave full screen',
  leave: 'Leave',
  more: 'More',
  close: 'Close',
  copyLink: 'Copy link',
  controls: 'Call controls',
  withKey: (label: string, key: string) => `${label} (${key})`,
  unreadCount: (n: number) => `${n} unread`,

  you: 'You',
  youName: (name: string) => `${name} (you)`,
  guest: 'Guest',
  screenOf: (name: string) => `${name} is presenting`,
  yourScreen: 'You are sharing your screen',
  yourScreenHint: 'Everyone in the room can see it.',
  muted: 'muted',
  speaking: 'speaking',
  handRaised: 'Hand raised',
  weakLink: 'Weak connection',
  pin: (name: string) => `Make ${name} large`,
  unpin: 'Back to the grid',
  morePeople: (n: number) => `${n} more ${n === 1 ? 'person' : 'people'}`,
  alone: 'You are the only one here',
  aloneHint: 'Send the link to those you want to meet.',
  videosOf: 'Participants',

  chatEmpty: 'No messages yet. What you write is seen by everyone in the room.',
  chatPlaceholder: 'Write a message',
  chatDenied: 'You may not write in this room.',
  send: 'Send',
  clearChat: 'Clear chat',
  chatFailed: 'Your message could not be sent. Please try again.',

  lockRoom: 'Lock room',
  unlockRoom: 'Unlock room',
  lockedHint: 'The room is locked: newcomers wait until they are let in.',
  waiting: 'Waiting to be let in',
  letIn: 'Let in',
  letAllIn: 'Let all in',
  muteHim: (name: string) => `Mute ${name}`,
  stopHisVideo: (name: string) => `Stop video of ${name}`,
  lowerHisHand: (name: string) => `Lower hand of ${name}`,
  remove: (name: string) => `Remove ${name} from the room`,

  lobbyTitle: 'Please wait',
  lobbyText: 'This room is locked. Someone inside will let you in.',

  theme: 'Appearance',
  themes: { system: 'Same as system', light: 'Light', dark: 'Dark' },
  toggleTheme: 'Switch between light and dark',
  resolution: 'Camera quality',
  resolutions: { low: 'Low (180p), saves data', medium: 'Medium (360p)', high: 'High (720p)' },
  codec: 'Video codec',
  codecAuto: 'Automatic',
  codecHint: 'Used from the next join on.',
  done: 'Done',

  linkConnecting: 'Connecting…',
  linkUnreachable: 'The server cannot be reached. Trying again…',
  linkLost: 'Connection lost, trying again…',
  mediaRebuilding: 'Audio and video are being set up again…',
  mediaLost: 'Audio and video are interrupted, trying again…',
  mediaBlocked:
    'Your network lets no audio and video through to the server. Trying again… If it stays like this, a firewall may be in the way.',
  mediaNone: 'The server has no room for audio and video right now. Trying again…',
  audioBlocked: 'Your browser has paused the sound.',
  tapToHear: 'Tap to hear',
  mutedTalking: 'You are muted. Others cannot hear you.',
  qualityPoor: 'Your connection is weak. Picture and sound may suffer.',
  dismiss: 'Dismiss',
  tryAgain: 'Try again',
  qualities: { good: 'Connection is good', fair: 'Connection is fair', poor: 'Connection is weak' },

  notes: {
    joined: (name: string) => `${name} joined`,
    left: (name: string) => `${name} left`,
    hand: (name: string) => `${name} raised a hand`,
    mutedByModerator: () => 'You were muted by a moderator.',
    stoppedByModerator: () => 'Your video or sound was stopped by a moderator.',
    chatFailed: () => 'Your message could not be sent. Please try again.',
    refused: () => 'That did not work. Please try again.',
    sourceFailed: () => 'The server did not take your audio or video. Please try again.',
    linkCopied: () => 'Link copied',
  },
  said: (name: string, text: string) => `${name}: ${text}`,

  rejoin: 'Join again',
  toStart: 'Back to the start',
  ended: {
    left: ['You left the room', 'See you next time.'],
    kicked: ['You were removed from the room', 'A moderator ended your stay.'],
    closed: ['The server ended the call', 'The room was closed, or you joined from another window.'],
    escaped: ['The meeting is over', 'Everyone agreed to end it.'],
    refused: ['You could not join', 'The server did not let you in: the room may be full.'],
    unsupported: ['This browser cannot make calls', 'Please use a current version of Chrome, Edge, Firefox or Safari.'],
  } satisfies Record<EndReason, [string, string]>,
};

export type Device = 'mic' | 'webcam' | 'screen' | 'both';

const DEVICE_NAMES: Record<Device, string> = { mic: 'microphone', webcam: 'camera', screen: 'screen', both: 'microphone and camera' };

export function problemText(device: Device, problem: DeviceProblem): string {
  const name = DEVICE_NAMES[device];
  const many = device === 'both';
  switch (problem) {
    case 'denied':
      return `Your browser does not let this page use the ${name}. Allow it by the icon next to the address, then try again.`;
    case 'none':
      return `No ${name} was found. You can join without one, or plug one in and try again.`;
    case 'busy':
      return `The ${name} ${many ? 'are' : 'is'} used by another program. Close that program, then try again.`;
    case 'insecure':
      return `Browsers allow a ${name} on secure pages only. Open this page with https://.`;
    case 'unplugged':
      return `The ${name} ${many ? 'were' : 'was'} unplugged.`;
    case 'failed':
      return `The ${name} could not be started.`;
  }
}
