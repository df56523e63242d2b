import { useState } from 'preact/hooks'
import { Dialog } from '../../components/dialog.tsx'
import { NameTyped } from '../../components/name-typed.tsx'
import { useServices } from '../../services.ts'
import { formatCount, formatFiles } from '../../text/bytes.ts'
import type { Site } from './site-state.tsx'

export interface RemoveSiteProps {
  readonly site: Site
  readonly onClose: () => void
}

/** Forgets another librarian: what becomes of what has to do with it stands there first. */
export function RemoveSite({ site: { librarian_name: name, copies, outgoing }, onClose }: RemoveSiteProps) {
  const { api, toasts } = useServices()
  const [fails, setFails] = useState(false)
  const remove = async () => {
    const request = { librarian_name: name, remove_outgoing_transfers: fails }
    const { number_of_transfers_removed } = await api.admin.librariansRemove(request)
    const ended =
      number_of_transfers_removed > 0 ? `; ${formatFiles(number_of_transfers_removed, 'transfer')} ended` : ''
    toasts.tell(`${name} is no longer known here${ended}.`)
    onClose()
  }
  return (
    <Dialog title={`Remove ${name}`} onClose={onClose}>
      <ul class="bullets">
        <li>Nothing more is sent to it, and nothing is asked of it.</li>
        <li>
          {copies === 0
            ? 'It is not known to hold a copy of anything.'
            : `${formatCount(copies)} copies that it is known to hold are forgotten: they prove nothing any more, and what relied on them cannot be deleted here. The bytes there stay.`}
        </li>
        <li>
          {outgoing.files === 0
            ? 'No transfer to it is open.'
            : `${formatFiles(outgoing.files, 'transfer')} to it ${outgoing.files === 1 ? 'is' : 'are'} open: ${fails ? 'they fail.' : 'they wait, until they are old enough to be ended.'}`}
        </li>
        <li>What came from it stays.</li>
      </ul>
      {outgoing.files > 0 && (
        <label class="tick">
          <input type="checkbox" checked={fails} onChange={event => setFails(event.currentTarget.checked)} />
          <span>End its open transfers now</span>
        </label>
      )}
      <NameTyped name={name} what="Remove it" asksReason={false} onConfirm={remove} onCancel={onClose} />
    </Dialog>
  )
}
