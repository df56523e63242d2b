import type { AnswerOf, endpoints } from '@arriero/api'
import { Dialog } from '../../components/dialog.tsx'
import { NameTyped } from '../../components/name-typed.tsx'
import { Facts } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { State, StateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count, Duration, None, Time } from '../../components/texts.tsx'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'

type Plan = AnswerOf<typeof endpoints.deletion.plan>
type Evidence = Plan['evidence'][number]

export interface DeleteCopyProps {
  readonly name: string
  readonly store: string
  readonly onClose: () => void
  /** After the copy has come back. */
  readonly onUndone: () => void
}

/** The copy on one store goes to the trash: first the plan with its proofs, then the name typed. */
export function DeleteCopy({ name, store, onClose, onUndone }: DeleteCopyProps) {
  const { api, toasts } = useServices()
  const plan = useAnswer(signal => api.deletion.plan({ file_name: name, store_name: store }, { signal }), [name, store])
  const remove = async (reason: string) => {
    const { trash_id } = await api.deletion.remove({ file_name: name, store_name: store, reason })
    toasts.tell(`The copy on ${store} is in the trash.`, {
      label: 'Undo',
      run: async () => {
        await api.admin.trashRestore({ trash_id })
        toasts.tell(`The copy on ${store} is back.`)
        onUndone()
      },
    })
    onClose()
  }
  return (
    <Dialog title={`Delete the copy on ${store}`} onClose={onClose}>
      <p>
        <b class="name">{name}</b>
      </p>
      {plan.error && <Problem error={plan.error} again={plan.again} />}
      {!plan.data && !plan.error && <p class="loading">Reading the copies on which the deletion would rely…</p>}
      {plan.data && <PlanText of={plan.data} />}
      {plan.data?.may_go && <NameTyped name={name} what="Delete this copy" onConfirm={remove} onCancel={onClose} />}
    </Dialog>
  )
}

const columns: readonly Column<Evidence>[] = [
  { key: 'at', label: 'Copy', isTitle: true, cell: row => `${row.librarian ?? 'here'}, store ${row.store}` },
  { key: 'state', label: 'Found', cell: row => <EvidenceState of={row} /> },
  {
    key: 'time',
    label: 'Read',
    cell: row => (row.time === null ? <None why="not read" /> : <Time at={row.time} form="ago" />),
  },
]

function PlanText({ of: plan }: { readonly of: Plan }) {
  return (
    <>
      {plan.may_go ? (
        <State tone="good" label="It may go: enough good copies remain" />
      ) : (
        <div class="problem">
          <p>It may not go: {plan.why_not}</p>
        </div>
      )}
      <Facts
        of={[
          ['Frees', <Bytes key="size" of={plan.size} />],
          ['Good copies that must remain', <Count key="needed" of={plan.copies_needed} />],
          ['of them elsewhere', <Count key="remote" of={plan.remote_copies_needed} />],
          ['The trash keeps it for', <Duration key="trash" seconds={plan.trash_seconds} />],
        ]}
      />
      <Table
        caption="Copies that were read for this plan"
        columns={columns}
        rows={plan.evidence}
        keyOf={row => `${row.librarian ?? ''} ${row.instance_id}`}
        empty="No other copy was found."
      />
    </>
  )
}

function EvidenceState({ of: { state, medium } }: { readonly of: Evidence }) {
  return medium === 'claim' ? <State tone="warn" label="only said so; counts for nothing" /> : <StateOf state={state} />
}
