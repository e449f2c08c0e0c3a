// Three rising notes, to hear whether the chosen speaker works.

const NOTES_HZ = [440, 554, 659];
const NOTE_S = 0.22;

export function playTestSound(speakerId: string): void {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.gain.value = 0.15;
  gain.connect(context.destination);
  const choose = (context as AudioContext & { setSinkId?: (id: string) => Promise<void> }).setSinkId;
  const chosen = speakerId && choose ? choose.call(context, speakerId).catch(() => undefined) : Promise.resolve();
  void chosen.then(() => {
    NOTES_HZ.forEach((hz, i) => {
      const note = context.createOscillator();
      note.frequency.value = hz;
      note.connect(gain);
      note.start(context.currentTime + i * NOTE_S);
      note.stop(context.currentTime + (i + 1) * NOTE_S);
      if (i === NOTES_HZ.length - 1) note.onended = () => void context.close();
    });
  });
}
