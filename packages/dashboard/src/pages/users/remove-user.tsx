import { Dialog } from '../../components/dialog.tsx'
import { NameTyped } from '../../components/name-typed.tsx'
import { useServices } from '../../services.ts'
import type { User } from './users.tsx'

export interface RemoveUserProps {
  readonly user: User
  readonly onClose: () => void
}

export function RemoveUser({ user: { username }, onClose }: RemoveUserProps) {
  const { api, toasts } = useServices()
  const remove = async () => {
    await api.users.delete({ username })
    toasts.tell(`The user ${username} is removed.`)
    onClose()
  }
  return (
    <Dialog title={`Remove the user ${username}`} onClose={onClose}>
      <ul class="bullets">
        <li>The account can no longer be used, and whoever is logged in by it is logged out.</li>
        <li>Another librarian that uses it can no longer send to us.</li>
        <li>What it uploaded stays, under its name.</li>
      </ul>
      <NameTyped name={username} what="Remove the user" asksReason={false} onConfirm={remove} onCancel={onClose} />
    </Dialog>
  )
}
