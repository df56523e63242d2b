import { Button } from '../../components/button.tsx'
import { useServices } from '../../services.ts'
import type { Site } from './site-state.tsx'

export interface SwitchSiteProps {
  readonly site: Pick<Site, 'librarian_name' | 'enabled'>
  /** Asks anew for what is shown. */
  readonly again: () => void
}

/** Pauses sending to a site, or resumes it. Nothing is lost by either: what waits goes on waiting. */
export function SwitchSite({ site: { librarian_name, enabled }, again }: SwitchSiteProps) {
  const { api, toasts } = useServices()
  const set = async (transfers_enabled: boolean) => {
    await api.admin.transferStatusChange({ librarian_name, transfers_enabled })
    again()
  }
  const turn = async () => {
    await set(!enabled)
    toasts.tell(
      enabled
        ? `Sending to ${librarian_name} is paused; what is for it waits.`
        : `Sending to ${librarian_name} goes on.`,
      { label: 'Undo', run: () => set(enabled) },
    )
  }
  const what = enabled ? 'Pause' : 'Resume'
  return (
    <Button label={`${what} sending to ${librarian_name}`} onPress={turn}>
      {what}
    </Button>
  )
}
