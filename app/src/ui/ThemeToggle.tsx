import { saveSettings, settings } from '../state/settings';
import { t } from '../strings';
import { IconButton } from './IconButton';
import { useStore } from './useStore';

export function ThemeToggle() {
  const theme = useStore(settings, (s) => s.theme);
  const systemDark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const dark = theme === 'dark' || (theme === 'system' && systemDark);
  return (
    <IconButton
      icon={dark ? 'sun' : 'moon'} label={t.toggleTheme} testId="theme-toggle"
      onClick={() => saveSettings({ theme: dark ? 'light' : 'dark' })}
    />
  );
}
