import type { Context } from '../context.ts'
import { printable } from '../text.ts'
import { formatClock, formatDuration, formatRate, formatSize } from '../units.ts'
import type { FileView, Measure, MeasureOptions, TotalView } from './measure.ts'
import type { View } from './view.ts'

const everyMs = 10_000

/** Files that are over sooner have no lines of their own: a log of ten thousand small files would hide what matters. */
const worthALineMs = 1000

/**
 * For logs: a line when a file has begun and one when it is over, and every ten seconds one for the whole. What ended
 * badly is told elsewhere, at once; how a single file ended is told with more detail by the command.
 */
export function createPlainView(context: Context, { isSingle = false }: Pick<MeasureOptions, 'isSingle'> = {}): View {
  /** By what name each was told to have begun: some learn their own only then. */
  const seen = new Map<number, { readonly since: number; toldAs?: string }>()
  let lastWhole: number | undefined

  function tellBegun(files: readonly FileView[], now: number, isOnly: boolean): void {
    for (const { id, name, size } of files) {
      const known = seen.get(id) ?? { since: now }
      seen.set(id, known)
      const isDue = (isOnly && size !== undefined) || now - known.since >= worthALineMs
      if (known.toldAs !== undefined || !isDue) continue
      known.toldAs = name
      context.say(`begin ${printable(name)}, ${size === undefined ? 'size unknown' : formatSize(size)}`)
    }
  }

  /** Each that was told to have begun, and is there no more. */
  function tellEnded(files: readonly FileView[], now: number): void {
    const present = new Set(files.map(({ id }) => id))
    for (const [id, { toldAs, since }] of seen) {
      if (present.has(id)) continue
      seen.delete(id)
      if (toldAs !== undefined && !isSingle) {
        context.say(`end   ${printable(toldAs)}, ${formatDuration(now - since)}`)
      }
    }
  }

  return {
    update(measure: Measure, now: number) {
      lastWhole ??= now
      const { files, total } = measure(now)
      const active = files.filter(file => file.state !== 'waiting')
      tellBegun(active, now, total.files.isListed && total.files.listed <= 1)
      // One that waits between two steps is not over.
      tellEnded(files, now)
      if (now - lastWhole >= everyMs) {
        lastWhole = now
        context.say(wholeLine(total))
      }
    },
    stop: now => tellEnded([], now),
  }
}

/** `12.0 GiB of 40.0 GiB (30%), 4/10 files, 118 MiB/s, 4:02 left`, or that there is nothing yet. */
export function wholeLine(total: TotalView): string {
  const { finished, listed, isListed, failed } = total.files
  const of = total.size === undefined ? '' : ` of ${formatSize(total.size)}`
  const percent = total.fraction === undefined ? '' : ` (${Math.floor(total.fraction * 100)}%)`
  const isNothing = total.landed === 0 && finished === 0
  const parts = [isNothing ? `nothing${of} yet` : `${formatSize(total.landed)}${of}${percent}`]
  if (!isListed || listed > 1) parts.push(`${finished}/${listed}${isListed ? '' : '+'} files`)
  if (failed > 0) parts.push(`${failed} failed`)
  if (!isNothing) parts.push(formatRate(total.rate))
  if (total.etaMs !== undefined) parts.push(`${formatClock(total.etaMs)} left`)
  return parts.join(', ')
}
