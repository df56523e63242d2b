import type { AnswerOf, endpoints } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Form, textOf } from '../../components/form.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time, TimeBy } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useStore } from '../../state/use-store.ts'
import { ConfirmDestruction, Destroy } from '../file/destroy.tsx'
import type { FileAnswer } from '../file/file.tsx'

type Row = AnswerOf<typeof endpoints.destruction.list>['destructions'][number]

const MOST = 200

const shown: readonly Column<Row>[] = [
  {
    key: 'file',
    label: 'File',
    isTitle: true,
    cell: ({ file_name }) => <Link to={pathOf('/files', file_name)}>{file_name}</Link>,
  },
  { key: 'why', label: 'Why', cell: ({ reason }) => <span class="message">{reason}</span> },
  {
    key: 'when',
    label: 'Proposed',
    cell: ({ proposed_time, proposed_by }) => <TimeBy at={proposed_time} who={proposed_by} />,
  },
  { key: 'end', label: 'To be confirmed before', cell: ({ end_time }) => <Time at={end_time} /> },
]

/** Files that shall go altogether: one administrator proposes it, another one confirms it. */
export default function DestructionsPage() {
  const { api, session } = useServices()
  const state = useStore(session.state)
  const own = state.kind === 'in' ? state.username : ''
  const { data, error, again } = useAnswer(signal => api.destruction.list({ max_results: MOST }, { signal }), [], {
    topics: ['overview'],
  })
  const [proposing, setProposing] = useState<FileAnswer>()
  const [confirming, setConfirming] = useState<Row>()
  const find = async (fields: FormData) => {
    setProposing(await api.dashboard.file({ file_name: textOf(fields, 'name') }))
  }
  const close = () => {
    setProposing(undefined)
    setConfirming(undefined)
    again()
  }
  const act: Column<Row> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: row =>
      row.proposed_by === own ? (
        <span class="soft">for another administrator</span>
      ) : (
        <Button kind="danger" label={`Confirm the destruction of ${row.file_name}`} onPress={() => setConfirming(row)}>
          Confirm…
        </Button>
      ),
  }
  return (
    <>
      <PageHead title="Destructions" />
      <Section title="Proposed" note="oldest first; what nobody confirms in time does not happen">
        <Table
          caption="Proposed destructions"
          columns={[...shown, act]}
          rows={data?.destructions}
          keyOf={({ destruction_id }) => destruction_id}
          empty="Nothing is proposed."
          error={error}
          again={again}
        />
      </Section>
      <Section title="Propose one" note="nothing goes before another administrator has confirmed it">
        <Form what="See what would go…" onSubmit={find}>
          <Field label="Name of the file" name="name" />
        </Form>
      </Section>
      {proposing && <Destroy name={proposing.file.file_name} {...proposing} onClose={close} />}
      {confirming && <ConfirmDestruction name={confirming.file_name} proposal={confirming} onClose={close} />}
    </>
  )
}
