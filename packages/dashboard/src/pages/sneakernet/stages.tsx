import type { ListedDisk } from '@arriero/api'
import { ToneMark } from '../../components/tone.tsx'
import { formatCount } from '../../text/bytes.ts'
import { type Stage, stagesOf } from './disk-stages.ts'

/** The way of a disk, with the number of files at each place. One that is lost is at none. */
export function Stages({ of: disk }: { readonly of: ListedDisk }) {
  const { failed } = disk
  return (
    <>
      {disk.state !== 'given-up' && (
        <ol class="stages">
          {stagesOf(disk).map(stage => (
            <li key={stage.name} class={`stage-${stage.is}`} aria-current={stage.is === 'now' ? 'step' : undefined}>
              <ToneMark tone={stage.is === 'past' ? 'good' : stage.is === 'now' ? 'busy' : 'idle'} />
              {stage.name}
              {countOf(stage, disk) > 0 && <b>{formatCount(countOf(stage, disk))}</b>}
            </li>
          ))}
        </ol>
      )}
      {failed > 0 && <p class="tone-bad">{formatCount(failed)} failed</p>}
    </>
  )
}

function countOf({ name }: Stage, { in_transit, arrived, confirmed }: ListedDisk): number {
  return { packed: 0, 'in transit': in_transit, arrived, confirmed }[name]
}
