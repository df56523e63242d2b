import type { LibrarianError } from '@arriero/api'
import { Button } from './button.tsx'
import { ToneMark } from './tone.tsx'

export interface ProblemProps {
  readonly error: LibrarianError
  readonly again?: (() => void) | undefined
}

/** What went wrong, what can be done about it, and a way to try again. */
export function Problem({ error, again }: ProblemProps) {
  return (
    <div class="problem" role="alert">
      <ToneMark tone="bad" />
      <div>
        <p>{error.message}</p>
        <p class="remedy">{error.remedy}</p>
      </div>
      {again && <Button onPress={again}>Try again</Button>}
    </div>
  )
}
