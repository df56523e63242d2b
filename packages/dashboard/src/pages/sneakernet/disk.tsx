import { type AnswerOf, type endpoints, transferStatusOf } from '@arriero/api'
import { Facts, PageHead, Section } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { Problem } from '../../components/problem.tsx'
import { State, StateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count, None, Time } from '../../components/texts.tsx'
import type { PageProps } from '../../pages.ts'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { diskName, diskWord } from './disk-stages.ts'
import { Stages } from './stages.tsx'

type Item = AnswerOf<typeof endpoints.sneakernet.items>['items'][number]

const PAGE = 100

const columns: readonly Column<Item>[] = [
  { key: 'name', label: 'File', isTitle: true, cell: ({ name }) => <Link to={pathOf('/files', name)}>{name}</Link> },
  { key: 'size', label: 'Size', align: 'end', cell: ({ size }) => <Bytes of={size} /> },
  { key: 'state', label: 'State', cell: row => <ItemState of={row} /> },
]

/** A disk with what is on it. */
export default function DiskPage({ rest: id }: PageProps) {
  const { api } = useServices()
  const { of } = useConditions()
  const after = of('after') || undefined
  const options = { topics: ['transfers'] } as const
  const disk = useAnswer(
    async signal => (await api.sneakernet.list({ disk_id: id, max_results: 1 }, { signal })).disks[0],
    [id],
    options,
  )
  const items = useAnswer(
    signal => api.sneakernet.items({ disk_id: id, after, max_results: PAGE }, { signal }),
    [id, after],
    options,
  )
  return (
    <>
      <PageHead title={disk.data ? diskName(disk.data) : 'Disk'} />
      {disk.error && <Problem error={disk.error} again={disk.again} />}
      {disk.data && (
        <Section title="Where it is" note={<State {...diskWord(disk.data)} />}>
          <Stages of={disk.data} />
          <Facts
            of={[
              [disk.data.direction === 'out' ? 'To' : 'From', disk.data.librarian_name],
              ['Files', <Count key="files" of={disk.data.files} />],
              ['Size', <Bytes key="bytes" of={disk.data.bytes} />],
              ['Begun', <Time key="begun" at={disk.data.created_time} />],
              ['Changed', <Time key="changed" at={disk.data.changed_time} />],
              ['Number', <code key="id">{id}</code>],
            ]}
          />
        </Section>
      )}
      <Section title="Files on it" note="by name">
        <Table
          caption="Files on the disk"
          columns={columns}
          rows={items.data?.items}
          keyOf={({ name }) => name}
          empty="There is none on it yet."
          error={items.error}
          again={items.again}
          isLoading={items.isLoading}
        />
        <Pager next={items.data?.next} forward="Further" first="From the first" />
      </Section>
    </>
  )
}

function ItemState({ of: { transfer_status, state, reason } }: { readonly of: Item }) {
  const word = transfer_status === null ? state : transferStatusOf(transfer_status)
  return (
    <span class="told">
      {word == null ? <None why="the disk is not sealed" /> : <StateOf state={word} />}
      {reason && <span class="soft">{reason}</span>}
    </span>
  )
}
