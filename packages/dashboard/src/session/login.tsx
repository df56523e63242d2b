import type { LibrarianError } from '@arriero/api'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../components/button.tsx'
import { Problem } from '../components/problem.tsx'
import { useServices } from '../services.ts'
import { toError } from '../state/to-error.ts'
import type { SessionState } from './session.ts'

/** The address stays, so that who logs in again is where they were. */
export function Login({ state }: { readonly state: Extract<SessionState, { readonly kind: 'out' }> }) {
  const { session } = useServices()
  const [error, setError] = useState<LibrarianError>()
  const [isBusy, setBusy] = useState(false)
  const first = useRef<HTMLInputElement>(null)
  useEffect(() => {
    first.current?.focus()
    document.title = 'Log in · Arriero'
  }, [])
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError(undefined)
    try {
      await session.begin(String(fields.get('username')), String(fields.get('password')))
    } catch (thrown) {
      setError(toError(thrown))
      setBusy(false)
    }
  }
  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <h1>Log in</h1>
        {state.hasEnded && <p role="status">Your session has ended. Log in to go on where you were.</p>}
        {state.problem && (
          <div class="problem" role="alert">
            <p>{state.problem}</p>
            <Button onPress={session.look}>Try again</Button>
          </div>
        )}
        <label>
          User name
          <input
            ref={first}
            name="username"
            autoComplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
          />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {error && <Problem error={error} />}
        <button type="submit" class="button main" disabled={isBusy}>
          {isBusy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}
