import { deletionPolicyOf } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { State, StateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import type { FileAnswer } from './file.tsx'
import { ProofText } from './proof-text.tsx'

type Row = FileAnswer['instances'][number]

export interface CopiesProps {
  readonly instances: readonly Row[]
  /** Undefined: who is logged in may not. */
  readonly onDelete: ((store: string) => void) | undefined
}

const shown: readonly Column<Row>[] = [
  { key: 'store', label: 'Store', isTitle: true, cell: ({ store_name }) => store_name },
  { key: 'state', label: 'State', cell: row => <CopyState of={row} /> },
  { key: 'proof', label: 'Last read', cell: ({ proof }) => <ProofText of={proof} /> },
  {
    key: 'policy',
    label: 'May be deleted',
    cell: ({ deletion_policy }) => (deletionPolicyOf(deletion_policy) === 'ALLOWED' ? 'yes' : 'no'),
  },
]

const path: Column<Row> = { key: 'path', label: 'Path', cell: row => <code class="message">{row.path}</code> }

/** The copies at this site, each with its last proof. */
export function Copies({ instances, onDelete }: CopiesProps) {
  const seesPaths = instances.some(each => each.path !== null)
  const act: Column<Row> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: ({ store_name }) => (
      <Button kind="danger" label={`Delete the copy on ${store_name}`} onPress={() => onDelete?.(store_name)}>
        Delete…
      </Button>
    ),
  }
  return (
    <Table
      caption="Copies at this site"
      columns={[...shown, ...(seesPaths ? [path] : []), ...(onDelete ? [act] : [])]}
      rows={instances}
      keyOf={({ instance_id }) => instance_id}
      empty="There is no copy at this site."
    />
  )
}

function CopyState({ of: { available, state } }: { readonly of: Row }) {
  if (available || state === 'unavailable') return <StateOf state={state} />
  return (
    <>
      <StateOf state={state} /> <State tone="warn" label="not in use" />
    </>
  )
}
