/** What the program says of itself. */
export const USAGE = `testbed server                       serve HTTP/1.1 8080, HTTP/2 and gRPC 8081, control 8090, HTTPS 8443, TCP 9000, TCP server-first 9001
testbed http|http2 URL               one request; --method --header NAME=VALUE… --body
testbed grpc URL unary|stream|health one call; --count messages
testbed websocket URL                one message there and back
testbed tcp HOST:PORT                first bytes that come back; --body is sent, without it the server must speak first
testbed many SPEC                    many requests, added up; SPEC is JSON, see RequestSpec in request-spec.ts
testbed plan SPECS                   several of those, one after the other, or all at once with --concurrent; SPECS is a JSON array
testbed load URL                     --rate --seconds (or --until-input-ends) --methods GET,POST --body-bytes --no-keep-alive
testbed middleman PLAN               stand between callers and a target, and print what each connection gave; PLAN is JSON, see middleman.ts
testbed sleep                        do nothing until told to end

The server, by query or header of each request (HTTP, HTTP/2, HTTPS; gRPC by header):
  status=418     x-status: 418      answer with this status (of gRPC: with this gRPC status, and nothing but trailers)
  delay=200      x-delay: 200       answer after so many ms
  bytes=1000     x-bytes: 1000      padding in the answer
  key=NAME       x-key: NAME        count the request under a name; the echo's "attempt" is the count at this pod
  fail=2         x-fail: 2          the first two requests with that key fail (503; gRPC 14), or with failStatus / x-fail-status
  reset=1        x-reset: 1         reset instead of an answer; with fail=2 only the first two
  GET  /call?url=URL&timeout=MS     call URL and answer with its status; 504 when it takes too long, 502 when it fails
  GET  /seen?key=NAME               requests with that key at this pod: count, hosts, gapsMs. Also on the control port
  POST /admin?errors=1&status=503&delay=500&reset=1&ready=0&concurrent=8&burn=0.5&hold=100&forget=1
                                    how this pod behaves from now on, any of these; not itself subject to it. Also on the control port
Asked by Envoy's ext_authz whether a request may be made: yes with x-verdict: allow; by HTTP under /authorize/, by gRPC as
envoy.service.auth.v3.Authorization, where also connections may be opened by all accounts but "stranger".
TCP answers a line "whoami" with "220 POD VERSION".

Environment of the server: VERSION; DRAIN_SECONDS; MAX_CONCURRENT (requests worked on at once, the others wait); BURN (part of a core that is used up); HOLD (MiB that are held); TLS_NAMES (DNS names,
addresses and URIs of its own certificate, with commas), or TLS_CERT_FILE and TLS_KEY_FILE; TLS_CA_FILE (whose clients count as verified).
`;
