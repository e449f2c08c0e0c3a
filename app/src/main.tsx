import { createRoot } from 'react-dom/client';

import './ui/styles/tokens.css';
import './ui/styles/base.css';
import './ui/styles/pages.css';
import './ui/styles/room.css';
import './ui/styles/panels.css';

import { startApp } from './state/app';
import { App } from './ui/App';

startApp();
createRoot(document.getElementById('root')!).render(<App />);
