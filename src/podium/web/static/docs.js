// A file of its own, because the page's Content-Security-Policy allows no script within the page.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  // Swagger's validator badge would ask another host.
  validatorUrl: null,
});
