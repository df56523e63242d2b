import { whyNoMember } from '../names.ts'
import type { Scanned } from '../store.ts'
import type { S3Ground } from './s3-keys.ts'
import { createInnerStores } from './s3-nesting.ts'
import { listObjects } from './s3-objects.ts'

/** Names of the catalogue are no longer. */
const NAME_LENGTH = 256

/** All objects of a store; another store below its prefix is told as one, with nothing of what is in it. */
export async function* scan({ place, keys: { prefix } }: S3Ground, signal?: AbortSignal): AsyncGenerator<Scanned> {
  const innerOf = createInnerStores(place, prefix)
  let told: string | undefined
  for await (const { key, size } of listObjects(place, prefix)) {
    signal?.throwIfAborted()
    const shown = key.slice(prefix.length)
    if (shown.startsWith('.arriero/')) continue
    const inner = await innerOf(key)
    if (inner === undefined) {
      yield { name: isName(shown) ? shown : undefined, shown, kind: 'file', size }
      continue
    }
    const store = inner.slice(prefix.length, -1)
    if (inner !== told) yield { name: store, shown: store, kind: 'store', size: 0 }
    told = inner
  }
}

function isName(name: string): boolean {
  return whyNoMember(name) === undefined && name.length <= NAME_LENGTH
}
