import { levelOf, type SessionAnswer } from '@arriero/api'
import { Button } from '../components/button.tsx'
import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'
import { type ThemeChoice, themeChoices } from '../theme/theme.ts'

export interface AccountProps {
  readonly session: SessionAnswer
  /** Of the server. */
  readonly version: string | undefined
}

const themeNames: Record<ThemeChoice, string> = { system: 'As the system', light: 'Light', dark: 'Dark' }

/** Who is logged in, how it looks, and the way out. */
export function Account({ session: { username, level }, version }: AccountProps) {
  const { session, theme } = useServices()
  const choice = useStore(theme.choice)
  return (
    <div class="account">
      <p>
        <b>{username}</b> <span class="soft">{levelOf(level) ?? level}</span>
      </p>
      <label class="theme">
        <span>Colours</span>
        <select value={choice} onChange={event => theme.choose(event.currentTarget.value as ThemeChoice)}>
          {themeChoices.map(each => (
            <option key={each} value={each}>
              {themeNames[each]}
            </option>
          ))}
        </select>
      </label>
      <Button onPress={session.end}>Log out</Button>
      {version && <p class="soft">Arriero {version}</p>}
    </div>
  )
}
