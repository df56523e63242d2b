import { useEffect, useState } from 'preact/hooks'

export interface SearchFieldProps {
  readonly label: string
  readonly value: string
  /** On Enter, or when the field is left. */
  readonly onSearch: (text: string) => void
}

/** A condition that is typed as a whole. */
export function SearchField({ label, value, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  return (
    <label class="choice">
      <span>{label}</span>
      <input
        type="search"
        value={typed}
        autocapitalize="none"
        autoComplete="off"
        spellcheck={false}
        onInput={event => setTyped(event.currentTarget.value)}
        onChange={() => typed.trim() !== value && onSearch(typed.trim())}
      />
    </label>
  )
}
