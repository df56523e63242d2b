/** Where a librarian is (librarian 4.1): `{scheme}://{name}:{port}{prefix}/api/v2/{endpoint}`. */
import { LibrarianError } from '../errors.ts'

/** Where a librarian is, in either of two spellings. */
export type Address =
  | {
      /** With everything: `https://example.org:8443/prefix`. */
      readonly url: string
    }
  | {
      /** Scheme and name, perhaps a path prefix, without a port; as in the client settings of old. */
      readonly host: string
      readonly port: number
    }

/**
 * The address without a slash at its end.
 *
 * @throws LibrarianError Configuration; its message never holds more of the address than scheme, name and port.
 */
export function baseUrl(address: Address): string {
  const url = 'url' in address ? parsed(address.url) : withPort(address.host, address.port)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw wrong(`it must begin with http:// or https://, got ${url.protocol}`)
  }
  if (url.username !== '' || url.password !== '') throw wrong('user and password must be given apart from it')
  if (url.search !== '' || url.hash !== '') throw wrong('it must have neither "?" nor "#"')
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function withPort(host: string, port: number): URL {
  const url = parsed(host)
  // The URL type forgets the port of a scheme, so it is looked for in the text.
  if (url.port !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/]*:\d+(\/|$)/i.test(host)) {
    throw wrong('the port must be given apart from the host')
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong(`the port must be 1 to 65535, got ${port}`)
  url.port = String(port)
  return url
}

function parsed(text: string): URL {
  const url = URL.parse(text)
  if (url) return url
  throw wrong('it must be a URL such as https://example.org')
}

function wrong(rule: string): LibrarianError {
  return new LibrarianError('Configuration', `Cannot use the address of the librarian: ${rule}`)
}
