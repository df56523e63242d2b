import { levels } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { NameTyped } from '../../components/name-typed.tsx'
import { Time } from '../../components/texts.tsx'
import { ToneMark } from '../../components/tone.tsx'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useStore } from '../../state/use-store.ts'
import { formatFiles } from '../../text/bytes.ts'
import type { FileAnswer } from './file.tsx'

export interface DestroyProps extends Pick<FileAnswer, 'instances' | 'remote'> {
  readonly name: string
  readonly onClose: () => void
}

/** The first of two administrators proposes that all copies here go. */
export function Destroy({ name, instances, remote, onClose }: DestroyProps) {
  const { api, toasts } = useServices()
  const propose = async (reason: string) => {
    await api.destruction.propose({ file_name: name, reason })
    toasts.tell('It is proposed. Another administrator must confirm it.')
    onClose()
  }
  return (
    <Dialog title="Propose to destroy the file" onClose={onClose}>
      <p>
        <b class="name">{name}</b>
      </p>
      <p>
        Nothing goes yet. Once another administrator has confirmed it, these go to the trash, which keeps them for 30
        days:
      </p>
      <ul class="bullets">
        {instances.map(({ instance_id, store_name }) => (
          <li key={instance_id}>the copy on {store_name}</li>
        ))}
      </ul>
      <p>
        {remote.length === 0
          ? 'No other librarian is known to hold a copy: after the 30 days the bytes are gone for good.'
          : `Copies at other librarians stay: ${[...new Set(remote.map(each => each.librarian_name))].join(', ')}.`}
      </p>
      <NameTyped name={name} what="Propose to destroy it" onConfirm={propose} onCancel={onClose} />
    </Dialog>
  )
}

export interface ProposedProps {
  readonly name: string
  readonly proposal: NonNullable<FileAnswer['file']['proposed_destruction']>
  readonly again: () => void
}

/** What stands on the page while a proposal is open. */
export function Proposed({ name, proposal, again }: ProposedProps) {
  const { session } = useServices()
  const state = useStore(session.state)
  const isAdmin = useLevel() >= levels.ADMIN
  const isOwn = state.kind === 'in' && state.username === proposal.proposed_by
  const [confirms, setConfirms] = useState(false)
  const close = () => {
    setConfirms(false)
    again()
  }
  return (
    <div class="problem" role="status">
      <ToneMark tone="bad" />
      <div>
        <p>
          <b>{proposal.proposed_by}</b> proposes to destroy this file: {proposal.reason}
        </p>
        <p class="remedy">
          {isOwn ? 'Another administrator must confirm it' : 'It can be confirmed'} before{' '}
          <Time at={proposal.end_time} />; after that, nothing happens.
        </p>
      </div>
      {isAdmin && !isOwn && (
        <Button kind="danger" onPress={() => setConfirms(true)}>
          Confirm…
        </Button>
      )}
      {confirms && <ConfirmDestruction name={name} proposal={proposal} onClose={close} />}
    </div>
  )
}

export interface ConfirmDestructionProps extends Pick<ProposedProps, 'name' | 'proposal'> {
  readonly onClose: () => void
}

/** The second administrator has it done. */
export function ConfirmDestruction({ name, proposal, onClose }: ConfirmDestructionProps) {
  const { destruction_id, proposed_by, reason } = proposal
  const { api, toasts } = useServices()
  const confirm = async () => {
    const { destroyed, kept } = await api.destruction.confirm({ destruction_id, file_name: name })
    const gone = `${formatFiles(destroyed.length, 'copy', 'copies')} in the trash`
    toasts.tell(kept.length === 0 ? `${gone}.` : `${gone}; kept: ${kept.map(keptText).join('; ')}`)
    onClose()
  }
  return (
    <Dialog title="Destroy the file" onClose={onClose}>
      <p>
        {proposed_by} wants it gone: {reason}
      </p>
      <p>All copies here go to the trash now, which keeps them for 30 days.</p>
      <NameTyped name={name} what="Destroy it" asksReason={false} onConfirm={confirm} onCancel={onClose} />
    </Dialog>
  )
}

function keptText({ store_name, why }: { readonly store_name: string; readonly why: string }): string {
  return `${store_name}, because ${why}`
}
