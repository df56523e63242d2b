/**
 * What a URI stands for when it names several things: a directory or prefix (it ends with `/`), or a pattern with
 * wildcards (retrieval 13.1, 14). Paths are relative to what stands before the first wildcard (retrieval 13.1).
 */
import { createEngine, type EngineParts, partsOf } from './engine.ts'
import { TransferError } from './errors.ts'
import { activeHooks, openHooks } from './hooks/open-hooks.ts'
import { shownEntries } from './hooks/shown.ts'
import { hasWildcard, parseGlob } from './listing/glob.ts'
import type { FetchOptions } from './options.ts'
import { redactUrl } from './redact.ts'
import type { Listed, ListRequest, Source } from './source.ts'
import { isPercentEncoded } from './sources/registry.ts'

export interface ListOptions extends FetchOptions {
  /**
   * True (default): files at every depth below. False: one level, with its directories, whose paths end with `/`. A
   * pattern goes as deep as it says; false then names directories that match, too.
   */
  readonly isRecursive?: boolean | undefined
  /** Take wildcards as plain characters. Default false. */
  readonly isLiteral?: boolean | undefined
}

/**
 * Names what lies below a URI that ends with `/`, or what matches a pattern (`*`, `?`, `[]`, `**`), in batches as the
 * source gives them, in its order. Any other URI names itself, or if it is a directory what lies below it.
 *
 * @throws TransferError NotFound, Denied and the like; Unsupported for a scheme that cannot list
 * @example
 * ```ts
 * for await (const batch of list('s3://bucket/2024/run*.g3')) {
 *   for (const { uri, size } of batch) console.log(uri, size)
 * }
 * ```
 */
export async function* list(
  uri: string,
  options: ListOptions = {},
): AsyncGenerator<readonly Listed[], void, undefined> {
  const own = options.engine ? undefined : createEngine()
  const engine = partsOf(options.engine ?? (own as NonNullable<typeof own>))
  const opened = await openHooks(engine, options)
  try {
    yield* listWith(engine, uri, opened.options)
  } finally {
    await opened.close()
    await own?.close()
  }
}

/** The same, one by one: the list of a pipeline. */
export async function* listEach(uri: string, options: ListOptions = {}): AsyncGenerator<Listed, void, undefined> {
  for await (const batch of list(uri, options)) yield* batch
}

/** Whether a URI names several things, so that only `list` can tell which. */
export function isListing(uri: string): boolean {
  const path = uri.slice(pathStart(uri))
  return path === '' || path.endsWith('/') || hasWildcard(path)
}

function listWith(engine: EngineParts, uri: string, options: ListOptions): AsyncGenerator<readonly Listed[]> {
  const start = pathStart(uri)
  const path = uri.slice(start)
  if (path === '' || path.endsWith('/')) {
    const isPattern = !options.isLiteral && hasWildcard(path)
    return isPattern
      ? matching(engine, `${uri}**`, options)
      : below(engine, uri.endsWith('/') ? uri : `${uri}/`, options)
  }
  return !options.isLiteral && hasWildcard(path) ? matching(engine, uri, options) : named(engine, uri, options)
}

function below(engine: EngineParts, uri: string, options: ListOptions): AsyncGenerator<readonly Listed[]> {
  return ask(engine, uri, options, { isRecursive: options.isRecursive ?? true })
}

async function* matching(engine: EngineParts, uri: string, options: ListOptions): AsyncGenerator<readonly Listed[]> {
  const start = pathStart(uri)
  const glob = parseGlob(uri.slice(start), decoderOf(uri))
  const { prefix, enters } = glob
  const isWanted = ({ path }: Listed) =>
    path.endsWith('/') ? options.isRecursive === false && glob.matches(path.slice(0, -1)) : glob.matches(path)
  const request = { isRecursive: glob.isDeep, prefix, enters }
  for await (const batch of ask(engine, uri.slice(0, start) + glob.base, options, request)) {
    const wanted = batch.filter(isWanted)
    if (wanted.length > 0) yield wanted
  }
}

/** The one thing that a URI without wildcards names; a directory's content if that is what it is. */
async function* named(engine: EngineParts, uri: string, options: ListOptions): AsyncGenerator<readonly Listed[]> {
  const cut = uri.lastIndexOf('/', uri.length) + 1
  const name = decoderOf(uri)(uri.slice(cut))
  let isDirectory = false
  for await (const batch of ask(engine, uri.slice(0, cut), options, { isRecursive: false, prefix: name })) {
    const found = batch.find(({ path }) => path === name)
    if (found) return yield [found]
    isDirectory ||= batch.some(({ path }) => path === `${name}/`)
  }
  if (isDirectory) return yield* below(engine, `${uri}/`, options)
  const shown = redactUrl(uri)
  throw new TransferError('NotFound', `Cannot list ${shown}: there is nothing of that name`, { url: shown })
}

async function* ask(
  engine: EngineParts,
  uri: string,
  options: ListOptions,
  request: Omit<ListRequest, 'signal'>,
): AsyncGenerator<readonly Listed[]> {
  const [source] = (await engine.openSources([uri], options)) as [Source]
  try {
    const { signal = new AbortController().signal } = options
    if (!source.list) {
      const scheme = source.uri.slice(0, source.uri.indexOf(':'))
      const what = `Cannot list ${source.uri}: ${scheme} has no listings`
      throw new TransferError('Unsupported', what, { url: source.uri })
    }
    const hooks = activeHooks(options)
    let page = 0
    for await (const entries of source.list({ ...request, signal })) {
      if (hooks?.has('onListPage')) {
        const about = { uri: source.uri, page: page++, entries: shownEntries(entries) }
        await hooks.tell('onListPage', about, { signal })
      }
      yield entries
    }
  } finally {
    await source.close()
  }
}

/** Where the path begins: hosts and buckets have no wildcards, though IPv6 addresses have brackets. */
function pathStart(uri: string): number {
  const authority = /^[a-z][a-z0-9+.-]+:\/\/[^/]*\/?/i.exec(uri)?.[0] ?? /^[a-z][a-z0-9+.-]+:/i.exec(uri)?.[0]
  return authority?.length ?? 0
}

function decoderOf(uri: string): (text: string) => string {
  if (!isPercentEncoded(uri)) return text => text
  return text => {
    try {
      return decodeURIComponent(text)
    } catch (cause) {
      throw new TransferError('Usage', `Cannot list ${redactUrl(uri)}: its percent-encoding is broken`, { cause })
    }
  }
}
