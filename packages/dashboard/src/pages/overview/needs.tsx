import type { Overview } from '@arriero/api'
import { Section } from '../../components/page.tsx'
import { State } from '../../components/state.tsx'
import { Link } from '../../routing/link.tsx'

/** What nobody but a person can mend, the gravest first, each with what to do. */
export function Needs({ needs }: Pick<Overview, 'needs'>) {
  return (
    <Section title="Needs a person">
      {needs.length === 0 && <State tone="good" label="Nothing. All that goes on goes on by itself." />}
      <ol class="needs">
        {needs.map(({ severity, title, detail, next_step, page }) => (
          <li key={`${title} ${detail}`} class={severity === 'error' ? 'tint-bad' : 'tint-warn'}>
            <h3>
              <State tone={severity === 'error' ? 'bad' : 'warn'} label={severity} /> {title}
            </h3>
            {detail && <p>{detail}</p>}
            <p>
              <span class="soft">Next: </span>
              {next_step} <Link to={page}>{`Go to ${page.split('/')[1] || 'overview'}`}</Link>
            </p>
          </li>
        ))}
      </ol>
    </Section>
  )
}
