import { ProgramError } from '../errors.ts'
import type { Librarian } from '../librarian/client.ts'
import { printable } from '../text.ts'

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/**
 * The number of the disk that somebody means: by its number, the beginning of it, or what was written on its label.
 *
 * @throws ProgramError NotFound where there is no such disk, Usage where several may be meant
 */
export async function findDisk({ api }: Librarian, text: string, signal: AbortSignal): Promise<string> {
  if (uuid.test(text)) return text.toLowerCase()
  const { disks } = await api.sneakernet.list({ max_results: 1000 }, { signal })
  const meant = disks.filter(({ disk_id, label }) => label === text || disk_id.startsWith(text.toLowerCase()))
  if (meant.length === 1) return meant[0]!.disk_id
  const remedy = 'See which there are with arriero sneakernet status.'
  if (meant.length === 0) throw new ProgramError('NotFound', `There is no disk ${printable(text)}.`, { remedy })
  const told = meant.map(each => {
    const way = `${each.direction === 'out' ? 'to' : 'from'} ${printable(each.librarian_name)}`
    return `${each.disk_id} (${way}, ${each.state}${each.label === '' ? '' : `, labelled ${printable(each.label)}`})`
  })
  throw new ProgramError('Usage', `Several disks may be meant by ${printable(text)}: ${told.join('; ')}.`, {
    remedy: 'Say more of the number.',
  })
}
