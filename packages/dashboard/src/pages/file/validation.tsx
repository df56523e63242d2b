import type { AnswerOf, endpoints } from '@arriero/api'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { State, stateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Time } from '../../components/texts.tsx'
import { useServices } from '../../services.ts'

type Row = AnswerOf<typeof endpoints.validate.file>[number]

const columns: readonly Column<Row>[] = [
  {
    key: 'where',
    label: 'Copy',
    isTitle: true,
    cell: row => `${row.librarian}, ${row.store_name ?? `store ${row.store}`}`,
  },
  { key: 'state', label: 'Found', cell: row => <Found of={row} /> },
  { key: 'size', label: 'Size', align: 'end', cell: row => <Bytes of={row.current_size} /> },
  { key: 'time', label: 'Read', cell: row => <Time at={row.checked_time} form="ago" /> },
]

export interface ValidationProps {
  readonly name: string
  /** Proofs are newer then. */
  readonly again: () => void
}

/** Has every copy read, here and at the other librarians, now. It takes as long as reading takes. */
export function Validation({ name, again }: ValidationProps) {
  const { api } = useServices()
  const [rows, setRows] = useState<readonly Row[]>()
  const [isReading, setReading] = useState(false)
  const controller = useRef<AbortController>(undefined)
  useEffect(() => () => controller.current?.abort(), [])
  const read = async () => {
    const { signal } = (controller.current = new AbortController())
    setReading(true)
    try {
      setRows(await api.validate.file({ file_name: name }, { signal }))
      again()
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      setReading(false)
    }
  }
  const unreachable = [...new Set(rows?.flatMap(row => row.unreachable ?? []))]
  return (
    <div class="validation">
      <div class="actions">
        <Button onPress={read}>{isReading ? 'Reading every copy…' : 'Validate now'}</Button>
        {isReading && <Button onPress={() => controller.current?.abort()}>Stop waiting</Button>}
      </div>
      <div role="status">
        {rows && !isReading && (
          <>
            <Table
              caption="What the readings found"
              columns={columns}
              rows={rows}
              keyOf={row => `${row.librarian} ${row.instance_id}`}
              empty="There was no copy to read."
            />
            {unreachable.length > 0 && (
              <State tone="warn" label={`No answer from ${unreachable.join(', ')}: of copies there nothing is known`} />
            )}
          </>
        )}
      </div>
    </div>
  )
}

function Found({ of: { computed_same_checksum, state, reason } }: { readonly of: Row }) {
  if (computed_same_checksum) return <State tone="good" label="the right bytes" />
  return (
    <>
      <State tone="bad" label={stateOf(state ?? 'mismatch').label} />
      {reason && <span class="soft"> {reason}</span>}
    </>
  )
}
