/**
 * Reads objects of data commons by their names: `drs://host/id`, `drs://prefix:id`, `drs:id` (gen3 5–7). What the
 * commons says of size and digest holds; the bytes come from where it says they are, in the order of its preference,
 * through addresses that are handed out for minutes and renewed while a transfer lasts.
 */

import type { Located, Way } from '../commons/commons.ts'
import { TransferError } from '../errors.ts'
import { fileNameFor } from '../names/file-name.ts'
import type { Source } from '../source.ts'
import type { SourceContext } from './context.ts'
import { listBundle } from './drs/bundle.ts'
import { FallbackSource, type Origin } from './drs/fallback.ts'
import { openCommons } from './drs/open-commons.ts'
import { listOnly } from './list-only.ts'
import { openResolving } from './resolving.ts'

const NEVER = new AbortController().signal

export async function openDrsSource(uri: string, context: SourceContext): Promise<Source> {
  const { signal = NEVER } = context.options
  const commons = await openCommons(context)
  const distrusted = context.shared('commons: distrusted', () => new Distrusted())
  if (uri.endsWith('/')) {
    const why = 'a bundle has no bytes of its own'
    return listOnly({ uri, origin: 'drs:', why, list: request => listBundle(uri, commons, request) })
  }
  const located = await commons.locate(uri, { isKnown: context.isKnown, signal })
  assertBytes(located, uri)
  return openLocated(uri, located, context, distrusted)
}

async function openLocated(
  uri: string,
  located: Located,
  context: SourceContext,
  distrusted: Distrusted,
): Promise<Source> {
  const { signal = NEVER } = context.options
  const open = (way: Way): Origin => {
    let address = ''
    const onAddress = (url: string) => {
      address = url
    }
    return {
      key: way.key,
      open: () => openWay(uri, way, context, onAddress),
      name: () => fileNameFor({ url: address }),
    }
  }
  // Where nothing is trusted any more, what is wrong is not the place: it is tried again, and says so.
  const trusted = (ways: readonly Way[]) => {
    const good = ways.filter(({ key }) => !distrusted.has(uri, key))
    return (good.length > 0 ? good : ways).map(open)
  }
  const more = async () => {
    const all = await located.look(signal)
    assertBytes(all, uri)
    // The first one handed out is where the host has led already, when it was not asked for a place in particular.
    const known = all.ways.find(({ isHandedOut }) => isHandedOut)
    const others = all.ways.filter(way => way !== known)
    return trusted(others.length > 0 ? others : all.ways)
  }
  const { object } = located
  const source = new FallbackSource(uri, {
    origins: object || !distrusted.has(uri, located.ways[0]?.key ?? '') ? trusted(located.ways) : [],
    more: object ? undefined : more,
    facts: object,
    isProven: context.isKnown,
    distrust: key => distrusted.add(uri, key),
  })
  await source.begin()
  return source
}

/** Credentials of the caller are for the commons, never for where it sends us. */
function openWay(uri: string, way: Way, context: SourceContext, onAddress: (url: string) => void): Promise<Source> {
  const { signal = NEVER, headers: _, credentials: __, ...options } = context.options
  let given: Readonly<Record<string, string>> | undefined
  let isForeign = false
  return openResolving(uri, {
    resolve: async () => {
      const { url, headers, isForeign: foreign = false } = await way.access(signal)
      given = headers
      isForeign = foreign
      onAddress(url)
      return url
    },
    open: address => {
      const near = isForeign ? context.outside() : context
      return near.open(address, { ...options, signal, headers: given })
    },
  })
}

function assertBytes({ object, ways }: Located, uri: string): void {
  if (!object) return
  const fail = (what: string, reason: string, code: 'Unsupported' | 'NotFound' = 'NotFound') => {
    throw new TransferError(code, `Cannot fetch ${uri}: ${what}`, { url: uri, reason, name: object.name })
  }
  if (object.contents.length > 0) fail('it is a bundle; list it with a slash at its end', 'bundle', 'Unsupported')
  if (object.isBlank) fail('it is registered, but its bytes never arrived', 'blank')
  if (ways.length === 0) fail('the commons names no place for it that can be read', 'no_location')
}

/** Places whose bytes did not match, for as long as the engine lives. */
class Distrusted {
  readonly #keys = new Set<string>()

  has(uri: string, key: string): boolean {
    return this.#keys.has(`${uri}\n${key}`)
  }

  add(uri: string, key: string): void {
    this.#keys.add(`${uri}\n${key}`)
  }
}
