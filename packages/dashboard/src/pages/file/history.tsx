import { Time } from '../../components/texts.tsx'
import type { FileAnswer } from './file.tsx'

/** What has happened to it. */
export function History({ history }: Pick<FileAnswer, 'history'>) {
  if (history.length === 0) return <p class="empty">Nothing is recorded.</p>
  return (
    <ol class="history">
      {history.map(({ time, what, who, detail }, index) => (
        // A line is told apart by nothing else, and none moves.
        <li key={index}>
          <Time at={time} form="time" />
          <b>{what}</b>
          <span>
            {who}
            {detail && <span class="soft"> · {detail}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
