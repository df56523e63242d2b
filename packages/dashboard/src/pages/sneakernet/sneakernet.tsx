import type { ListedDisk } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { State } from '../../components/state.tsx'
import { Bytes, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { formatFiles } from '../../text/bytes.ts'
import { diskName, diskWord } from './disk-stages.ts'
import { GiveUp } from './give-up.tsx'
import { Stages } from './stages.tsx'

const MOST = 100

/** Disks that are carried: where each one is, and how much of it is confirmed. */
export default function SneakerNetPage() {
  const { api } = useServices()
  const { data, error, again } = useAnswer(signal => api.sneakernet.list({ max_results: MOST }, { signal }), [], {
    topics: ['transfers'],
  })
  const [lost, setLost] = useState<ListedDisk>()
  const close = () => {
    setLost(undefined)
    again()
  }
  const of = (direction: ListedDisk['direction']) => data?.disks.filter(disk => disk.direction === direction)
  return (
    <>
      <PageHead title="SneakerNet" />
      {error && <Problem error={error} again={again} />}
      {!data && !error && <p class="loading">Loading…</p>}
      {data && (
        <>
          <Section title="Disks that went out" note="newest first">
            <Disks of={of('out')!} onLost={setLost} none="None. A disk is packed with arriero sneakernet pack." />
          </Section>
          <Section title="Disks that came" note="newest first">
            <Disks of={of('in')!} onLost={undefined} none="None. A disk is read with arriero sneakernet ingest." />
          </Section>
        </>
      )}
      {lost && <GiveUp disk={lost} onClose={close} />}
    </>
  )
}

interface DisksProps {
  readonly of: readonly ListedDisk[]
  /** Undefined: such disks are not given up. */
  readonly onLost: ((disk: ListedDisk) => void) | undefined
  readonly none: string
}

function Disks({ of, onLost, none }: DisksProps) {
  if (of.length === 0) return <p class="empty">{none}</p>
  return (
    <ul class="disks">
      {of.map(disk => (
        <li key={disk.disk_id}>
          <div class="disk-head">
            <h3>
              <Link to={`/sneakernet/${disk.disk_id}`}>{diskName(disk)}</Link>
            </h3>
            <State {...diskWord(disk)} />
            <span>
              {disk.direction === 'out' ? 'to' : 'from'} {disk.librarian_name}, {formatFiles(disk.files)},{' '}
              <Bytes of={disk.bytes} />
            </span>
            <span class="soft">
              changed <Time at={disk.changed_time} form="ago" />
            </span>
            {onLost && isOpen(disk) && (
              <Button kind="danger" label={`Give up ${diskName(disk)}`} onPress={() => onLost(disk)}>
                Give up…
              </Button>
            )}
          </div>
          <Stages of={disk} />
        </li>
      ))}
    </ul>
  )
}

function isOpen({ state, in_transit, arrived }: ListedDisk): boolean {
  return state !== 'given-up' && (state === 'packing' || in_transit + arrived > 0)
}
