// What the server says in /config/config.js, which index.html loads before the application.

export interface ClientConfig {
  serverHostname?: string;
  productionPort?: number | string;
  title?: string;
}

declare const config: ClientConfig | undefined;

// A bare name: the script may have declared it with var, let or const, and only var makes it a member of window.
export const clientConfig: ClientConfig = typeof config === 'object' && config !== null ? config : {};

/** The URL of the signalling server: that of the page, but for what the configuration says otherwise. */
export function serverUrl(conf: ClientConfig, page: Pick<Location, 'protocol' | 'hostname' | 'port'>, dev: boolean): string {
  const host = conf.serverHostname || page.hostname;
  const port = dev ? page.port : String(conf.productionPort ?? page.port);
  return `${page.protocol === 'http:' ? 'http:' : 'https:'}//${host}${port ? `:${port}` : ''}`;
}
