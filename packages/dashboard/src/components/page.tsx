import type { ComponentChildren } from 'preact'
import { useEffect, useId } from 'preact/hooks'

export interface PageHeadProps {
  readonly title: ComponentChildren
  /** Of the browser’s tab; default: what the registry says. */
  readonly tab?: string
  /** Buttons. */
  readonly children?: ComponentChildren
}

/** First on every page. Who comes from another page has the focus here. */
export function PageHead({ title, tab, children }: PageHeadProps) {
  useEffect(() => {
    if (tab !== undefined) document.title = tab
  }, [tab])
  return (
    <header class="page-head">
      <h1 id="page-title" tabIndex={-1}>
        {title}
      </h1>
      {children && <div class="actions">{children}</div>}
    </header>
  )
}

export interface SectionProps {
  readonly title: string
  /** Beside the title. */
  readonly note?: ComponentChildren
  readonly children: ComponentChildren
}

/** A part of a page, with a heading by which it is found. */
export function Section({ title, note, children }: SectionProps) {
  const id = useId()
  return (
    <section class="panel" aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {note && <div class="note">{note}</div>}
      </header>
      {children}
    </section>
  )
}

/** Names with what they are, one below the other. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
