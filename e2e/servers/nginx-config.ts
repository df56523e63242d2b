import type { NginxOptions } from './nginx.ts'

export interface NginxConfigOptions extends NginxOptions {
  prefix: string
  /** plain, TLS, capped, no ranges, gzip */
  ports: readonly number[]
}

/** The text of nginx.conf: what Debian's own file says where speed is concerned, plus five servers over one root. */
export function nginxConfig(options: NginxConfigOptions): string {
  const { prefix, root, ports, tls = true, workers = 2, isLogged = false } = options
  const [plain, secure, capped, noRanges, gzip] = ports
  const locations = options.locations ?? ''
  // Without `user`, workers of a master that runs as root become nobody and cannot enter a private root.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const server = (lines: string) => `
  server {
    ${lines}
    root ${quote(root)};
    autoindex on;
    ${locations}
  }`
  return `${user}
daemon off;
worker_processes ${workers};
pid ${quote(`${prefix}/nginx.pid`)};
error_log ${quote(`${prefix}/error.log`)} error;
events { worker_connections 4096; }
http {
  types { text/plain txt csv; application/json json; }
  default_type application/octet-stream;
  log_format served '$status\\t$body_bytes_sent\\t$request_uri';
  access_log ${isLogged ? `${quote(`${prefix}/access.log`)} served` : 'off'};
  client_body_temp_path ${quote(`${prefix}/temp/body`)};
  proxy_temp_path ${quote(`${prefix}/temp/proxy`)};
  fastcgi_temp_path ${quote(`${prefix}/temp/fastcgi`)};
  uwsgi_temp_path ${quote(`${prefix}/temp/uwsgi`)};
  scgi_temp_path ${quote(`${prefix}/temp/scgi`)};
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
${server(`listen 127.0.0.1:${plain};`)}
${
  tls
    ? server(`listen 127.0.0.1:${secure} ssl;
    ssl_certificate ${quote(`${prefix}/certificate.pem`)};
    ssl_certificate_key ${quote(`${prefix}/key.pem`)};
    ssl_protocols TLSv1.2 TLSv1.3;`)
    : ''
}
${server(`listen 127.0.0.1:${capped};`)}
${server(`listen 127.0.0.1:${noRanges};
    max_ranges 0;`)}
${server(`listen 127.0.0.1:${gzip};
    gzip on;
    gzip_types *;
    gzip_proxied any;
    gzip_min_length 1;`)}
}
`
}

function quote(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$')}"`
}
