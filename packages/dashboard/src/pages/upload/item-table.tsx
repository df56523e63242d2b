import { Button } from '../../components/button.tsx'
import { Meter } from '../../components/meter.tsx'
import { State } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, None } from '../../components/texts.tsx'
import type { Tone } from '../../components/tone.tsx'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useServices } from '../../services.ts'
import { isUnderWay, type UploadItem, type UploadPhase } from '../../uploads/uploads.ts'

const phases: Record<UploadPhase, { readonly tone: Tone; readonly label: string }> = {
  waiting: { tone: 'idle', label: 'waiting' },
  reading: { tone: 'busy', label: 'reading for its digest' },
  sending: { tone: 'busy', label: 'sending' },
  keeping: { tone: 'busy', label: 'being kept' },
  kept: { tone: 'good', label: 'kept' },
  failed: { tone: 'bad', label: 'failed' },
  ended: { tone: 'idle', label: 'given up' },
}

const columns: readonly Column<UploadItem>[] = [
  { key: 'name', label: 'Name', isTitle: true, cell: item => <Name of={item} /> },
  { key: 'size', label: 'Size', align: 'end', cell: ({ size }) => <Bytes of={size} /> },
  { key: 'phase', label: 'State', cell: item => <Outcome of={item} /> },
  { key: 'done', label: 'Progress', cell: item => <Progress of={item} /> },
  { key: 'act', label: '', align: 'end', cell: item => <Actions of={item} /> },
]

/** Every file with what became of it. */
export function ItemTable({ items }: { readonly items: readonly UploadItem[] }) {
  return <Table caption="Uploads of this page" columns={columns} rows={items} keyOf={({ id }) => id} empty="" />
}

function Name({ of: { name, phase } }: { readonly of: UploadItem }) {
  return phase === 'kept' ? <Link to={pathOf('/files', name)}>{name}</Link> : <span>{name}</span>
}

function Outcome({ of: { phase, error } }: { readonly of: UploadItem }) {
  return (
    <>
      <State {...phases[phase]} />
      {error && (
        <p class="outcome">
          {error.message} <span class="remedy">{error.remedy}</span>
        </p>
      )}
    </>
  )
}

function Progress({ of: { name, size, done, phase } }: { readonly of: UploadItem }) {
  if (phase !== 'reading' && phase !== 'sending' && phase !== 'keeping') return <None />
  return <Meter share={size === 0 ? 1 : done / size} label={name} />
}

function Actions({ of: item }: { readonly of: UploadItem }) {
  const { uploads } = useServices()
  if (isUnderWay(item)) {
    return (
      <Button label={`Give up ${item.name}`} onPress={() => uploads.end(item.id)}>
        Give up
      </Button>
    )
  }
  if (item.phase === 'kept') return null
  return (
    <Button label={`Try ${item.name} again`} onPress={() => uploads.again(item.id)}>
      Try again
    </Button>
  )
}
