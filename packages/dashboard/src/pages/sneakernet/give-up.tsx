import type { ListedDisk } from '@arriero/api'
import { Dialog } from '../../components/dialog.tsx'
import { NameTyped } from '../../components/name-typed.tsx'
import { useServices } from '../../services.ts'
import { formatFiles } from '../../text/bytes.ts'
import { diskName } from './disk-stages.ts'

export interface GiveUpProps {
  readonly disk: ListedDisk
  readonly onClose: () => void
}

/** A disk that will not arrive. */
export function GiveUp({ disk, onClose }: GiveUpProps) {
  const { api, toasts } = useServices()
  const name = diskName(disk)
  const giveUp = async () => {
    const { failed_transfers } = await api.sneakernet.giveUp({ disk_id: disk.disk_id })
    toasts.tell(`${name} is given up; ${formatFiles(failed_transfers, 'transfer')} ended.`)
    onClose()
  }
  return (
    <Dialog title={`Give up ${name}`} onClose={onClose}>
      <ul class="bullets">
        <li>It is taken for lost: the {formatFiles(disk.in_transit + disk.arrived, 'open transfer')} by it fail.</li>
        <li>Its files may go to {disk.librarian_name} another way.</li>
        <li>What is confirmed already stays so. No copy here is touched.</li>
      </ul>
      <NameTyped name={name} what="Give it up" asksReason={false} onConfirm={giveUp} onCancel={onClose} />
    </Dialog>
  )
}
