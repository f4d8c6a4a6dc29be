// Trusted Types (W3C): HTML may be placed by htmx, which took it from our own origin; nothing may become a script.
// Under script-src nonce + strict-dynamic, markup placed this way runs neither <script> nor on… attributes.
if (window.trustedTypes) {
  window.trustedTypes.createPolicy("default", { createHTML: (html) => html });
}
