import { State } from '../components/state.tsx'
import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'

/** Whether what is on the page changes by itself. */
export function LiveMark() {
  const state = useStore(useServices().live.state)
  return (
    <span class="live" role="status" title={titles[state]}>
      {state === 'live' && <State tone="good" label="live" />}
      {state === 'connecting' && <State tone="idle" label="connecting" />}
      {state === 'late' && <State tone="warn" label="not live" />}
    </span>
  )
}

const titles = {
  live: 'The server tells what changes as it happens.',
  connecting: 'The server is being asked to tell what changes.',
  late: 'The server tells nothing by itself; it is asked every ten seconds.',
}
