export interface FieldProps {
  readonly label: string
  /** Below the label. */
  readonly hint?: string
  /** Of the form’s data. */
  readonly name: string
  readonly type?: 'text' | 'password' | 'number' | 'url'
  readonly first?: string
  readonly isRequired?: boolean
  /** Of numbers. */
  readonly min?: number
  readonly max?: number
  /** Default 256 characters. */
  readonly longest?: number
}

/** A labelled field of a form. What is typed into it is a name or a number: nothing corrects it, and nothing is offered. */
export function Field(props: FieldProps) {
  const { label, hint, name, type = 'text', first, isRequired = true, min, max, longest = 256 } = props
  return (
    <label>
      <span>{label}</span>
      {hint && <span class="soft hint">{hint}</span>}
      <input
        name={name}
        // The types know each kind by itself alone; nothing here differs between them.
        type={type as 'text'}
        defaultValue={first}
        required={isRequired}
        min={min}
        max={max}
        maxLength={longest}
        autocapitalize="none"
        autoComplete={type === 'password' ? 'new-password' : 'off'}
        spellcheck={false}
      />
    </label>
  )
}

export interface TickProps {
  readonly label: string
  readonly name: string
  readonly isTicked?: boolean
}

/** Yes or no. */
export function Tick({ label, name, isTicked = false }: TickProps) {
  return (
    <label class="tick">
      <input type="checkbox" name={name} defaultChecked={isTicked} />
      <span>{label}</span>
    </label>
  )
}
