// How many rows and columns show `count` tiles best. Pure.
//
// A tile may be anything between a portrait and a wide rectangle, since pictures are cropped to fit; best is the largest product of a
// tile's area and of the 16:9 picture that fits in it uncropped.

export interface Grid {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}

const WIDE = 16 / 9;
const MIN_ASPECT = 3 / 4;
const MAX_ASPECT = 1.9;

function clampToAspect(width: number, height: number): [number, number] {
  if (width / height > MAX_ASPECT) return [height * MAX_ASPECT, height];
  if (width / height < MIN_ASPECT) return [width, width / MIN_ASPECT];
  return [width, height];
}

function worth(width: number, height: number): number {
  const fit = Math.min(width, height * WIDE);
  return width * height * fit * (fit / WIDE);
}

export function bestGrid(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), tileWidth: 0, tileHeight: 0 };
  let bestWorth = 0;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const [tileWidth, tileHeight] = clampToAspect(cellWidth, cellHeight);
    const w = worth(tileWidth, tileHeight);
    if (w <= bestWorth) continue;
    bestWorth = w;
    best = { columns, rows, tileWidth: Math.floor(tileWidth), tileHeight: Math.floor(tileHeight) };
  }
  return best;
}

const MIN_TILE_AREA = 150 * 95;

/** More tiles than this would be too small to see anything. */
export function tilesThatFit(width: number, height: number): number {
  return Math.max(1, Math.min(49, Math.floor((width * height) / MIN_TILE_AREA)));
}

/** Those who spoke last, at most `max`, in the order of `ids`, so that nobody moves without need. */
export function pickVisible(ids: readonly string[], lastSpoke: Readonly<Record<string, number>>, max: number): string[] {
  if (ids.length <= max) return [...ids];
  const chosen = new Set([...ids].sort((a, b) => (lastSpoke[b] ?? 0) - (lastSpoke[a] ?? 0)).slice(0, max));
  return ids.filter((id) => chosen.has(id));
}
