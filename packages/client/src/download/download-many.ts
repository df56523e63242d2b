/**
 * Many names into one directory. Plain files go through one run of the engine: small ones share connections and syncs. Trees
 * follow, one after the other, each as a whole.
 */
import { join } from 'node:path'
import { downloadAll, type Entry } from '@arriero/transfer'
import { explainedFetch, isAway, patienceWith } from './away.ts'
import { type Downloaded, type DownloadOptions, downloadLocated, isProvable } from './download.ts'
import { checksumOf, hooksFor, urlsOf } from './entries.ts'
import type { Located } from './find-copies.ts'
import { Targets } from './targets.ts'

/** A file to fetch, or why there is none. */
export type Wanted =
  | { readonly located: Located /** Below the directory. */; readonly path: string }
  | { readonly name: string; readonly error: unknown }

/** What became of one name of several. */
export type DownloadOutcome =
  | { readonly ok: true; readonly downloaded: Downloaded }
  | { readonly ok: false; readonly name: string; readonly error: unknown }

/** Every one that is wanted, once, good or bad. */
export async function* downloadMany(
  wanted: AsyncIterable<Wanted>,
  directory: string,
  options: DownloadOptions,
): AsyncGenerator<DownloadOutcome, void, undefined> {
  const { engine, signal, librarians, ifExists = 'verify' } = options
  const files: (Located | undefined)[] = []
  const others: Exclude<Wanted, { error: unknown }>[] = []
  const unfetched: DownloadOutcome[] = []
  const targets = new Targets()
  // By hand: a run that ends early must not close it, because the rest is still to be told of.
  const rest = wanted[Symbol.asyncIterator]()
  async function* entries(): AsyncGenerator<Entry> {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      const each = next.value
      if ('error' in each) unfetched.push({ ok: false, ...each })
      else if (each.located.file.kind === 'tree' || !isProvable(each.located)) others.push(each)
      else {
        const { name } = each.located.file
        const error = targets.claim(name, each.path)
        if (error) unfetched.push({ ok: false, name, error })
        else yield entryOf(each.located, each.path, files.push(each.located) - 1)
      }
    }
  }
  const run = downloadAll(entries(), {
    directory,
    engine,
    signal,
    ifExists,
    requireChecksum: true,
    hooks: hooksFor(librarians),
    continueAfterError: false,
    isEnd: isAway,
    ...patienceWith(librarians),
  })
  let end: unknown
  for await (const result of run) {
    const located = files[result.entry.index] as Located
    files[result.entry.index] = undefined
    if (!result.ok) {
      const { name } = located.file
      if (isAway(result.error)) end = result.error
      yield { ok: false, name, error: explainedFetch(result.error, name) }
    } else {
      const { name, size, checksum } = located.file
      const { path, status } = result.result
      yield { ok: true, downloaded: { name, kind: 'file', path, size: size!, checksum: checksum!, status } }
    }
    yield* unfetched.splice(0)
  }
  yield* unfetched
  if (end !== undefined) {
    for (const located of files) if (located) yield notBegun(located.file.name, end)
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      const { value } = next
      yield 'error' in value ? { ok: false, ...value } : notBegun(value.located.file.name, end)
    }
    for (const { located } of others) yield notBegun(located.file.name, end)
    return
  }
  for (const { located, path } of others) {
    try {
      yield { ok: true, downloaded: await downloadLocated(located, join(directory, path), options) }
    } catch (error) {
      signal?.throwIfAborted()
      yield { ok: false, name: located.file.name, error }
    }
  }
}

/** Each would only wait as long by itself. */
function notBegun(name: string, error: unknown): DownloadOutcome {
  return { ok: false, name, error: explainedFetch(error, name) }
}

function entryOf(located: Located, path: string, index: number): Entry {
  const { algorithm, value } = checksumOf(located) as {
    algorithm: Entry['checksums'][number]['algorithm']
    value: string
  }
  return { index, uris: urlsOf(located), path, size: located.file.size!, checksums: [{ algorithm, value }] }
}
