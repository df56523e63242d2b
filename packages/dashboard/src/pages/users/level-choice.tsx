import { type Level, levels } from '@arriero/api'

/** What each level may do, of those below it as well. */
export const levelTexts: Readonly<Record<Level, string>> = {
  NONE: 'nothing: the account is closed',
  READONLY: 'look, search and download',
  CALLBACK: 'report what became of transfers: for other librarians',
  READAPPEND: 'upload: for instruments, and for librarians that send to us',
  READWRITE: 'upload, and change what is theirs',
  ADMIN: 'everything',
}

/** Names of levels with their numbers, the least first. */
const choices = Object.entries(levels) as readonly (readonly [Level, number])[]

/** As the field `level` of a form. */
export function LevelChoice({
  chosen,
  isDisabled = false,
}: {
  readonly chosen: number
  readonly isDisabled?: boolean
}) {
  return (
    <label>
      <span>Level</span>
      <select name="level" defaultValue={String(chosen)} disabled={isDisabled}>
        {choices.map(([name, number]) => (
          <option key={name} value={number} selected={number === chosen}>
            {`${name}: ${levelTexts[name]}`}
          </option>
        ))}
      </select>
    </label>
  )
}

export type LevelNumber = (typeof levels)[Level]

/** @throws Error for what is none */
export function levelNumberOf(text: string): LevelNumber {
  const number = choices.find(([, each]) => String(each) === text)?.[1]
  if (number === undefined) throw new Error('There is no such level.')
  return number as LevelNumber
}
