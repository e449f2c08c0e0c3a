import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server that `npm run dev` passes /config and /socket.io to.
const server = process.env.ALTHING_SERVER ?? 'https://localhost:8443';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // a data: URI would need a weaker Content-Security-Policy
    rollupOptions: {
      output: {
        manualChunks: { react: ['react', 'react-dom/client'], socket: ['socket.io-client'] },
      },
    },
  },
  server: {
    proxy: {
      '/config': { target: server, secure: false },
      '/socket.io': { target: server, secure: false, ws: true },
    },
  },
});
