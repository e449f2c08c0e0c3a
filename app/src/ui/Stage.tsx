import { useCallback, useRef, useState, type CSSProperties } from 'react';

import { copyLink, room, toggleScreen, togglePanel } from '../state/app';
import { t } from '../strings';
import { bestGrid, pickVisible, tilesThatFit } from './grid';
import { Icon } from './icons';
import { ScreenTile, SelfTile, Tile } from './Tile';
import { useSize, type Size } from './useSize';
import { useStore } from './useStore';

const GAP = 10;
const STRIP_WIDE = 220;
const STRIP_NARROW = 116;
const NO_IDS: readonly string[] = [];

/** The people of the room, as tiles that fill the window and never scroll. */
export function Stage() {
  const ref = useRef<HTMLDivElement>(null);
  const size = useSize(ref);
  const peers = useStore(room, (s) => s.peers);
  const screenPeer = useStore(room, (s) => Object.values(s.tracks).filter((x) => x.source === 'screen').pop()?.peerId);
  const [pinned, setPinned] = useState<string | null>(null);
  const ids = Object.keys(peers);
  const pinnedHere = pinned !== null && peers[pinned] ? pinned : null;
  const onPin = useCallback((id: string | null) => setPinned(id), []);
  const large = screenPeer !== undefined || pinnedHere !== null;
  return (
    <div className="stage" ref={ref} role="region" aria-label={t.videosOf}>
      {size.width > 0 && (large ? (
        <LargeLayout size={size} ids={ids} screenPeer={screenPeer} pinned={pinnedHere} onPin={onPin} />
      ) : (
        <GridLayout size={size} ids={ids} onPin={onPin} />
      ))}
      <OwnScreen />
    </div>
  );
}

interface LayoutProps {
  size: Size;
  ids: readonly string[];
  onPin: (id: string | null) => void;
}

/** Alone: oneself, large. Two: the other, and oneself small in the corner. More: everybody alike. */
function GridLayout({ size, ids, onPin }: LayoutProps) {
  const floating = ids.length === 1;
  return (
    <>
      <Tiles size={size} ids={ids} onPin={ids.length > 1 ? onPin : undefined} withSelf={!floating} />
      {floating && <div className="floating-self"><SelfTile small /></div>}
      {ids.length === 0 && <Alone />}
    </>
  );
}

interface LargeProps extends LayoutProps {
  screenPeer: string | undefined;
  pinned: string | null;
}

function LargeLayout({ size, ids, screenPeer, pinned, onPin }: LargeProps) {
  const side = size.width > size.height;
  const strip = side ? Math.min(STRIP_WIDE, size.width * 0.3) : Math.min(STRIP_NARROW, size.height * 0.3);
  const stripSize = side ? { width: strip, height: size.height } : { width: size.width, height: strip };
  const others = screenPeer === undefined ? ids.filter((id) => id !== pinned) : ids;
  const showLarge = pinned !== null && screenPeer === undefined;
  return (
    <div className={side ? 'large-layout side' : 'large-layout'} style={{ gap: GAP }}>
      <div className="large-tile">
        {showLarge ? <Tile peerId={pinned} withVideo pinned onPin={onPin} /> : screenPeer && <ScreenTile peerId={screenPeer} />}
      </div>
      <div className="strip" style={side ? { width: strip } : { height: strip }}>
        <Tiles size={stripSize} ids={others} withSelf onPin={screenPeer === undefined ? onPin : undefined} strip />
      </div>
    </div>
  );
}

interface TilesProps {
  size: Size;
  ids: readonly string[];
  withSelf: boolean;
  strip?: boolean;
  onPin?: (id: string | null) => void;
}

function Tiles({ size, ids, withSelf, strip, onPin }: TilesProps) {
  const lastSpoke = useStore(room, (s) => s.lastSpoke);
  const maxVideos = useStore(room, (s) => s.maxActiveVideos);
  const self = withSelf ? 1 : 0;
  const fits = strip ? stripTiles(size) : tilesThatFit(size.width, size.height);
  const crowded = ids.length + self > fits;
  const visible = pickVisible(ids, lastSpoke, Math.max(1, crowded ? fits - self - 1 : ids.length));
  const videos = visible.length > maxVideos ? pickVisible(visible, lastSpoke, maxVideos) : (visible ?? NO_IDS);
  const hidden = ids.length - visible.length;
  const count = visible.length + self + (hidden > 0 ? 1 : 0);
  const grid = bestGrid(count, size.width, size.height, GAP);
  const style = { gap: GAP, '--tile-width': `${grid.tileWidth}px`, '--tile-height': `${grid.tileHeight}px` } as CSSProperties;
  return (
    <div className="tiles" style={style} data-testid="tiles" data-columns={grid.columns} data-rows={grid.rows}>
      {visible.map((id) => <Tile key={id} peerId={id} withVideo={videos.includes(id)} onPin={onPin} />)}
      {withSelf && <SelfTile />}
      {hidden > 0 && (
        <button type="button" className="tile more-people" aria-label={t.morePeople(hidden)} onClick={() => togglePanel('people')}>
          <span className="more-number">{`+${hidden}`}</span>
          <span>{t.people}</span>
        </button>
      )}
    </div>
  );
}

/** In a strip a few tiles of a good size say more than many small ones. */
function stripTiles({ width, height }: Size): number {
  const length = Math.max(width, height);
  const breadth = Math.min(width, height);
  return Math.max(2, Math.floor(length / (breadth * (width > height ? 1.2 : 0.62))));
}

function Alone() {
  return (
    <div className="alone" data-testid="alone">
      <strong>{t.alone}</strong>
      <span>{t.aloneHint}</span>
      <button type="button" className="button small primary" onClick={copyLink}>
        <Icon name="link" size={16} />
        {t.copyLink}
      </button>
    </div>
  );
}

function OwnScreen() {
  const on = useStore(room, (s) => s.screen.status === 'on');
  if (!on) return null;
  return (
    <div className="own-screen" role="status" data-testid="own-screen">
      <Icon name="screen" size={18} />
      <span><strong>{t.yourScreen}.</strong> {t.yourScreenHint}</span>
      <button type="button" className="button small" onClick={toggleScreen}>{t.stopSharing}</button>
    </div>
  );
}
