/**
 * What a bundle holds, bundles within it included (gen3 11). One that is held several times is asked once, and has its
 * members listed wherever it is held: a few bundles can so have more of them than anybody can store.
 */
import type { Commons, Content } from '../../commons/commons.ts'
import { TransferError } from '../../errors.ts'
import { walk } from '../../listing/walk.ts'
import { numberedName } from '../../names/bytes.ts'
import type { Listed, ListRequest } from '../../source.ts'

/** Objects looked up at once; those of Gen3 travel together. */
const AT_ONCE = 4
/** Most that is listed of one bundle, bundles within it included. */
const MOST_MEMBERS = 100_000

export function listBundle(uri: string, commons: Commons, request: ListRequest): AsyncIterable<readonly Listed[]> {
  /** The URI of each bundle by its path, and which bundles lead to it. */
  const bundles = new Map([['', { uri: uri.slice(0, -1), above: new Set<string>() }]])
  const asked = new Map<string, ReturnType<Commons['contents']>>()
  let members = 0
  const read = async (directory: string, signal: AbortSignal) => {
    const bundle = bundles.get(directory)
    if (!bundle) return []
    bundles.delete(directory)
    const answer = asked.get(bundle.uri) ?? commons.contents(bundle.uri, { signal, most: MOST_MEMBERS })
    asked.set(bundle.uri, answer)
    const { id, contents } = await answer
    // It holds one that holds it: everything in there is listed where it stands first.
    if (bundle.above.has(id)) return []
    members += contents.length
    if (members > MOST_MEMBERS) throw tooMany(uri)
    const above = new Set([...bundle.above, id])
    const taken = new Set<string>()
    return contents.map(content => {
      const path = `${directory}${freeName(content, taken)}${content.isBundle ? '/' : ''}`
      if (content.isBundle) bundles.set(path, { uri: content.uri, above })
      return listedAs(content, path)
    })
  }
  return walk(read, request, { uri, atOnce: AT_ONCE })
}

function tooMany(uri: string): TransferError {
  const most = MOST_MEMBERS.toLocaleString('en-US')
  const what = `Cannot list ${uri}: with the bundles in it, each as often as it is held, it has more than ${most} members`
  return new TransferError('Unsupported', what, { url: uri, reason: 'bundle_too_large' })
}

/** A slash at the end would make a directory of a file, and two directories of one name would be one. */
function freeName({ name }: Content, taken: Set<string>): string {
  const own = name.replace(/\/+$/, '') || 'unnamed'
  let free = own
  for (let number = 2; taken.has(free); number++) free = numberedName(own, number)
  taken.add(free)
  return free
}

function listedAs({ uri, isBundle, size }: Content, path: string): Listed {
  return isBundle ? { uri: `${uri}/`, path } : { uri, path, size }
}
