import type { CSSProperties } from 'react';

import { hueOf, initialsOf } from './people';

export function Avatar({ id, name, picture, small }: { id: string; name: string; picture?: string; small?: boolean }) {
  const style = { '--hue': hueOf(id) } as CSSProperties;
  return (
    <span className={small ? 'avatar small' : 'avatar'} style={style} aria-hidden="true">
      {picture ? <img src={picture} alt="" /> : initialsOf(name)}
    </span>
  );
}
