import { levels } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { AddSite } from './add-site.tsx'
import { SitesMap } from './map.tsx'
import { RemoveSite } from './remove-site.tsx'
import type { Site } from './site-state.tsx'
import { SitesTable } from './sites-table.tsx'

/** The other librarians: who sends to whom, and who answers. */
export default function SitesPage() {
  const { api } = useServices()
  const isAdmin = useLevel() >= levels.ADMIN
  const { data, error, again } = useAnswer(signal => api.dashboard.sites({}, { signal }), [], {
    topics: ['overview', 'transfers'],
  })
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Site>()
  const close = () => {
    setAdding(false)
    setLeaving(undefined)
    again()
  }
  return (
    <>
      <PageHead title="Sites">{isAdmin && <Button onPress={() => setAdding(true)}>Add a site…</Button>}</PageHead>
      {data && data.sites.length > 0 && (
        <Section title="Who sends to whom" note="by what is open and the last seven days; numbers are open transfers">
          <SitesMap siteName={data.site_name} sites={data.sites} />
        </Section>
      )}
      <Section title="Other librarians">
        {!data && error ? (
          <Problem error={error} again={again} />
        ) : (
          <SitesTable sites={data?.sites} again={again} onRemove={isAdmin ? setLeaving : undefined} />
        )}
      </Section>
      {isAdding && <AddSite onClose={close} />}
      {leaving && <RemoveSite site={leaving} onClose={close} />}
    </>
  )
}
