import { type Identifier, parseIdentifier } from './identifier.ts'

/**
 * The places of an object that a list names, as URIs (gen3 4.1, 5.1): `drs://HOST/ID` when the text says the host or
 * `commons` gives it (`host[:port]`); DRS URIs as they were written, with `drs` for `dos`; else `drs:ID`, which is the home commons or
 * wherever the prefix leads. A host in the text itself is never overruled.
 *
 * Of a compact identifier at a known commons it is not known whether ids repeat the prefix there (gen3 5.3): both are given.
 *
 * @throws TransferError Usage for what names no object
 * @example
 * ```ts
 * objectUris('dg.4503/ab', 'commons.example.org') // ['drs://commons.example.org/dg.4503%2Fab']
 * objectUris('dg.4503/ab') // ['drs:dg.4503/ab']
 * ```
 */
export function objectUris(text: string, commons?: string): readonly string[] {
  const identifier = parse(text)
  const { host, objectId } = identifier
  if (/^(?:drs|dos):\/\//i.test(text)) {
    if (host !== undefined || commons === undefined) return [`drs${text.slice(3)}`]
    return idsAt(identifier).map(id => uriAt(commons, id))
  }
  const place = host ?? commons
  return [place === undefined ? `drs:${encodePath(objectId)}` : uriAt(place, objectId)]
}

/** `drs://host.org:8080/x` names a port here: no prefix is called so. */
function parse(text: string): Identifier {
  const mayHavePort = /^(?:drs|dos):\/\/[^/:]*\.[^/:]*:\d{1,5}\//i.test(text)
  const identifier = parseIdentifier(text)
  const isPrefix = /^(?:dg|drs)\./.test(identifier.prefix ?? '')
  return mayHavePort && !isPrefix ? parseIdentifier(text, { allowPort: true }) : identifier
}

function idsAt({ prefix, objectId }: Identifier): readonly string[] {
  const isRepeated = prefix === undefined || objectId.toLowerCase().startsWith(`${prefix}/`)
  return isRepeated || !/^(?:dg|drs)\./.test(prefix) ? [objectId] : [objectId, `${prefix}/${objectId}`]
}

function uriAt(host: string, objectId: string): string {
  return `drs://${host}/${encodeURIComponent(objectId)}`
}

/** Slashes and colons stay, they are what people know an id by; but two slashes at the beginning would be a host. */
function encodePath(objectId: string): string {
  return encodeURIComponent(objectId)
    .replace(/(?<=.)%2F/g, '/')
    .replaceAll('%3A', ':')
}
