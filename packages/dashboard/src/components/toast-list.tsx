import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from './button.tsx'
import { ToneMark } from './tone.tsx'

/** Read aloud as they come: the region is there before its first text. */
export function ToastList() {
  const { toasts } = useServices()
  return (
    <section class="toasts" aria-label="Messages" aria-live="polite">
      {useStore(toasts.all).map(({ id, tone, text, remedy, action }) => (
        <div key={id} class={`toast tone-${tone}`}>
          <ToneMark tone={tone} />
          <p>
            {text}
            {remedy && <span class="remedy"> {remedy}</span>}
          </p>
          {action && (
            <Button
              onPress={async () => {
                await action.run()
                toasts.remove(id)
              }}
            >
              {action.label}
            </Button>
          )}
          <Button label="Put the message away" onPress={() => toasts.remove(id)}>
            ✕
          </Button>
        </div>
      ))}
    </section>
  )
}
