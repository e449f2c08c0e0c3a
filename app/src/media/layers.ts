// Which spatial layer a video needs, by the width in which it is shown. May be more than there is: the server clamps it.
export function spatialLayerFor(width: number): number {
  if (width >= 960) return 2;
  return width >= 480 ? 1 : 0;
}

/** All of them: frame rate is not what a small picture should save on. */
export const TEMPORAL_LAYER = 2;
