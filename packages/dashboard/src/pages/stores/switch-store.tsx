import type { Overview } from '@arriero/api'
import { Confirm } from '../../components/confirm.tsx'
import { useServices } from '../../services.ts'

export interface SwitchStoreProps {
  readonly store: Pick<Overview['stores'][number], 'store_name' | 'enabled' | 'ingestable'>
  readonly onClose: () => void
  /** Asks anew for what is shown. */
  readonly again: () => void
}

/** Switches a store on or off, after it was said what that means. */
export function SwitchStore({ store: { store_name, enabled, ingestable }, onClose, again }: SwitchStoreProps) {
  const { api, toasts } = useServices()
  const set = async (to: boolean) => {
    await api.admin.storesStateChange({ store_name, enabled: to })
    again()
  }
  const turn = async () => {
    await set(!enabled)
    const undo = { label: 'Undo', run: () => set(enabled) }
    toasts.tell(`The store ${store_name} is switched ${enabled ? 'off' : 'on'}.`, undo)
  }
  const word = enabled ? 'Switch off' : 'Switch on'
  return (
    <Confirm title={`${word} the store ${store_name}`} what={word} onConfirm={turn} onClose={onClose}>
      {enabled ? (
        <ul class="bullets">
          <li>Nothing new is written to it.</li>
          <li>Its copies are not handed out; what has a copy elsewhere is read there.</li>
          <li>Nothing is deleted: it can be switched on again at any time.</li>
        </ul>
      ) : (
        <ul class="bullets">
          <li>Its copies are handed out again.</li>
          {ingestable && <li>New files may be written to it.</li>}
        </ul>
      )}
    </Confirm>
  )
}
