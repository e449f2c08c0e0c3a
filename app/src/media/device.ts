// mediasoup-client, loaded when it is first needed: the start page does without it.

import type { types } from 'mediasoup-client';

const load = () => import('mediasoup-client');

let loading: ReturnType<typeof load> | undefined;

export function preloadDevice(): ReturnType<typeof load> {
  // A failed load may succeed the next time.
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

export async function loadDevice(routerRtpCapabilities: types.RtpCapabilities): Promise<types.Device> {
  const { Device } = await preloadDevice();
  const device = new Device();
  await device.load({ routerRtpCapabilities });
  return device;
}
