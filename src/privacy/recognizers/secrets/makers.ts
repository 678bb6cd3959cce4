/**
 * Tokens of known makers, by how they begin. Sources: each maker's documentation, and the rules of gitleaks and of GitHub's
 * secret scanning. Lengths are lower bounds, so that each start of a match costs the same.
 */
export const MAKERS: readonly string[] = [
  'eyJ[\\w-]{12}', // JSON web tokens (RFC 7519): `{"` in base64url
  '(?:AKIA|ASIA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}', // AWS
  'amzn\\.mws\\.[0-9a-f-]{36}|amzn1\\.oa2-cs\\.v1\\.[0-9a-f]{32}', // Amazon
  'gh[opsur]_\\w{20}|github_pat_\\w{20}', // GitHub
  'gl(?:pat|ptt|dt|rt|soat|cbt|ft|imt|agent|oas|ffct)-[\\w-]{16}|GR1348941[\\w-]{16}', // GitLab
  'ATATT3[\\w=-]{30}|ATCTT3[\\w=-]{30}|ATBB\\w{28}', // Atlassian, Bitbucket
  'xox[abeoprs]-[\\w-]{10}|xapp-[\\w-]{10}|xwfp-[\\w-]{10}', // Slack
  'sk-(?:ant-|proj-|svcacct-|or-v1-)?[\\w-]{16}', // OpenAI, Anthropic, OpenRouter
  '(?:sk|rk|pk)_(?:live|test|prod)_\\w{10}|whsec_\\w{20}|(?:cus|pi|seti)_\\w{14}_secret_\\w{10}', // Stripe
  'AIza[\\w-]{30}|ya29\\.[\\w-]{10}|GOCSPX-[\\w-]{20}|1//0[\\w-]{30}', // Google
  'npm_\\w{20}|pypi-[\\w-]{40}|rubygems_[0-9a-f]{40}|cio[A-Za-z0-9]{32}|oy2[a-z0-9]{43}', // package registries
  'hf_\\w{20}|api_org_\\w{20}|r8_\\w{30}|gsk_\\w{40}|pplx-\\w{40}|xai-\\w{40}|nvapi-[\\w-]{40}|tgp_v1_[\\w-]{30}', // models
  'do[opr]_v1_\\w{20}', // DigitalOcean
  'shp(?:at|ca|pa|ss)_\\w{20}', // Shopify
  'SG\\.[\\w-]{16}', // SendGrid
  'key-[0-9a-f]{32}|pubkey-[0-9a-f]{32}', // Mailgun
  '[0-9a-f]{32}-us\\d{1,2}', // Mailchimp
  'xkeysib-[0-9a-f]{30}|xsmtpsib-[0-9a-f]{30}', // Brevo
  '(?:SK|AC)[0-9a-f]{32}', // Twilio
  'EAA[A-Za-z0-9]{60}|IGQV[\\w-]{40}', // Meta
  'sq0(?:atp|csp|idp)-[\\w-]{22}|EAAA[\\w-]{56}', // Square
  'access_token\\$(?:production|sandbox)\\$\\w{16}', // Braintree
  'PMAK-[0-9a-f]{24}', // Postman
  'dp\\.(?:pt|st|ct|sa|scim|audit)\\.\\w{30}', // Doppler
  'hvs\\.[\\w-]{20}|hvb\\.[\\w-]{20}|hvr\\.[\\w-]{20}|\\w{14}\\.atlasv1\\.[\\w-]{30}', // HashiCorp
  'pul-[0-9a-f]{40}', // Pulumi
  'dckr_(?:pat|oat)_[\\w-]{20}', // Docker
  'figd_[\\w-]{30}|figu[rh]_[\\w-]{30}', // Figma
  'lin_(?:api|oauth)_\\w{30}', // Linear
  'secret_[A-Za-z0-9]{40}|ntn_\\w{40}', // Notion
  'pat[A-Za-z0-9]{14}\\.[0-9a-f]{40}', // Airtable
  'glsa_\\w{30}|glc_[\\w=+/-]{30}', // Grafana
  'NRAK-[A-Z0-9]{27}|NRJS-[0-9a-f]{19}|NRII-[\\w-]{32}', // New Relic
  'dd[ap]_\\w{30}|DDOG\\w{30}', // Datadog
  'sntry[su]_[\\w=+/-]{40}', // Sentry
  'ph[cxs]_[\\w-]{30}', // PostHog
  'sbp_[0-9a-f]{40}|sb_(?:secret|publishable)_[\\w-]{20}', // Supabase
  'pscale_(?:tkn|oauth|pw)_[\\w.=-]{30}', // PlanetScale
  'napi_\\w{40}|neon_\\w{30}', // Neon
  'fo1_[\\w-]{40}|fm[12]_[\\w+/=-]{40}', // Fly.io
  'rnd_\\w{28}|nfp_\\w{36}|vc[pka]_\\w{24}', // Render, Netlify, Vercel
  'HRKU-[\\w-]{36}', // Heroku
  'CFPAT-[\\w-]{40}|CLOJARS_\\w{60}', // Contentful, Clojars
  'v1\\.0-[0-9a-f]{24}-[0-9a-f]{100}', // Cloudflare origin CA
  'LTAI[A-Za-z0-9]{16}|AKID[A-Za-z0-9]{32}', // Alibaba, Tencent
  'AccountKey=[\\w+/]{40}|[\\w~.-]{3}8Q~[\\w~.-]{31}', // Azure
  'AGE-SECRET-KEY-1[A-Z0-9]{50}', // age
  'ops_eyJ[\\w=-]{40}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{6}-[A-Z0-9]{5}|[A-Z0-9]{11})-[A-Z0-9]{5}', // 1Password
  '\\d{8,10}:AA[\\w-]{32}', // Telegram
  '(?:[MNO][\\w-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27})', // Discord
  'EZ[AT]K\\w{54}|shippo_(?:live|test)_[0-9a-f]{40}', // EasyPost, Shippo
  'FLW(?:PUB|SEC)K(?:_TEST)?-[0-9a-f]{12}|rzp_(?:live|test)_\\w{14}|live_[0-9a-f]{30}|test_[0-9a-f]{30}', // payments
  'sl\\.[\\w-]{60}', // Dropbox
  'PT[0-9a-f]{30}|dapi[0-9a-f]{32}', // Databricks
  'tk-us-[\\w-]{48}|bkua_[0-9a-f]{40}|CCIPAT_\\w{20}', // Buildkite, CircleCI
  'AQE[DT]\\w{60}|li_at=\\w{20}', // LinkedIn
  'ory_(?:at|rt|st|ac|pat|apikey)_[\\w-]{20}|authress_[\\w-]{20}|sk_clerk_\\w{20}', // identity
  'duffel_(?:test|live)_[\\w-]{40}|pnu_\\w{36}|sgp_\\w{40}|ico-\\w{32}', // others
  'hvs\\.[\\w-]{20}|(?<![\\w./-])[sb]\\.[A-Za-z0-9]{24}(?![A-Za-z0-9.])', // HashiCorp Vault before 1.10
  'vercel_blob_rw_\\w{16}|tskey-(?:auth|api|client|scim|webhook)-[\\w-]{16}|lsv2_(?:pt|sk)_[0-9a-f]{32}', // Vercel, Tailscale, LangSmith
  'aio_[A-Za-z0-9]{24}|dt0[a-z]\\d\\d\\.[A-Z0-9]{24}\\.[A-Z0-9]{40}|p8e-[a-z0-9]{30}', // Adafruit, Dynatrace, Private AI
  'AKCp[A-Za-z0-9]{60}|cmVmdGtu[\\w-]{30}|sq[upa]_[0-9a-f]{40}|t1\\.[\\w-]{40}[.\\w-]{20}|AQVN[\\w-]{30}|y0_[\\w-]{40}', // JFrog, Sonar, Yandex
  'fw_[A-Za-z0-9]{22}|jina_\\w{40}|tvly-[\\w-]{24}|csk-\\w{40}|ABSK[\\w+/=]{40}|sess-\\w{32}|wandb_v1_\\w{24}|co_[A-Za-z0-9]{40}|dsk-\\w{32}', // models
  'u\\d{6,8}-[0-9a-f]{24}|m\\d{9}-[0-9a-f]{24}|pat-(?:na|eu|ap)\\d-[0-9a-f-]{32}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20}', // UptimeRobot, HubSpot, Resend
  'key_(?:live|test|prod)_\\w{20}|(?:api|secret|access|private|auth)[-_]?(?:key|token)[-_](?=[A-Za-z_-]{0,40}\\d)[A-Za-z0-9]{16}', // many
  'sk_(?:[a-z]{2,10}_)?[0-9a-f]{32}|sbu_\\w{32}|flb_(?:live|test)_\\w{20}|pdl_(?:live|sdbx)_\\w{20}|gho_\\w{20}|atlasv1\\.[\\w-]{30}', // ElevenLabs, Paddle and others
  'nrk-[A-Z0-9]{27}|eu01xx[0-9a-f]{34}|rapi_\\w{32}|uak_\\w{24}|ubsk_\\w{24}|snyk_\\w{20}|ghcr_\\w{20}|zpka_\\w{30}|trp_\\w{24}|sm_[a-z]{4}_\\w{24}', // others
  'LS0tLS1CRUdJTi[\\w+/=]{10}', // `-----BEGIN ` in base64
];

/** URLs whose path is the secret. */
export const HOOKS: readonly string[] = [
  'hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/]{16,200}',
  '(?:discord|discordapp)\\.com/api/webhooks/\\d{10,20}/[\\w-]{20,100}',
  '[\\w-]{1,60}\\.webhook\\.office\\.com/webhookb?2?/[\\w@/-]{20,300}',
  'api\\.telegram\\.org/bot[\\w:-]{20,80}',
  'hooks\\.zapier\\.com/hooks/catch/[\\w/]{6,100}',
  'outlook\\.office\\.com/webhook/[\\w@/-]{20,300}',
];
