import type { ListedDisk } from '@arriero/api'
import type { Tone } from '../../components/tone.tsx'

export const stageNames = ['packed', 'in transit', 'arrived', 'confirmed'] as const

export interface Stage {
  readonly name: (typeof stageNames)[number]
  /** `now`: here it stands. */
  readonly is: 'past' | 'now' | 'ahead'
}

/** How far a disk is. What was read there is confirmed once every file of it is. */
export function stagesOf(disk: ListedDisk): Stage[] {
  const at = stageAt(disk)
  return stageNames.map((name, index) => ({ name, is: index < at ? 'past' : index === at ? 'now' : 'ahead' }))
}

function stageAt({ state, direction, in_transit, arrived, confirmed, failed }: ListedDisk): number {
  if (state === 'packing') return 0
  const isDone = in_transit === 0 && arrived === 0 && confirmed + failed > 0
  if (isDone) return 3
  if (direction === 'in' || state === 'reading' || state === 'read' || arrived > 0) return 2
  return 1
}

/** The disk in one word. */
export function diskWord(disk: ListedDisk): { readonly tone: Tone; readonly label: string } {
  if (disk.state === 'given-up') return { tone: 'bad', label: 'given up' }
  if (disk.state === 'packing') return { tone: 'idle', label: 'being packed' }
  const at = stageAt(disk)
  if (at < 3) return { tone: 'busy', label: stageNames[at]! }
  return disk.failed > 0 ? { tone: 'warn', label: 'confirmed in part' } : { tone: 'good', label: 'confirmed' }
}

/** Its label, or else the beginning of its number. */
export function diskName({ label, disk_id }: Pick<ListedDisk, 'label' | 'disk_id'>): string {
  return label === '' ? `disk ${disk_id.slice(0, 8)}` : label
}
