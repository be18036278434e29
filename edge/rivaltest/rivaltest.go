// Package rivaltest starts other caches in front of an origin, each with a small
// configuration that it writes: nginx, Varnish and Apache Traffic Server, as
// Debian ships them. It is for proofs and benchmarks that put their figures
// beside ours.
package rivaltest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Kind is how one rival is run.
type Kind struct {
	Name    string
	program string
	files   map[string]string // configuration by path below its folder
	args    []string
	version []string // arguments that make it print its version
}

// Kinds are the rivals. In their texts DIR is the folder of the run, ORIGIN and
// OHOST, OPORT the origin, PORT where to listen; all on loopback.
//
// None guesses a lifetime where the origin says none, gives what is over its
// lifetime without being told to, or asks more than once for what several want at
// the same moment, as far as it can be configured so.
var Kinds = []Kind{
	{
		Name: "nginx", program: "nginx", version: []string{"-v"},
		args: []string{"-p", "DIR", "-c", "DIR/nginx.conf", "-e", "DIR/error.log"},
		// With tcp_nopush on, a hit of 64 KB waits for a delayed acknowledgement.
		files: map[string]string{"nginx.conf": `daemon off;
pid DIR/nginx.pid;
worker_processes auto;
USER
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush off;
  tcp_nodelay on;
  keepalive_requests 10000000;
  client_body_temp_path DIR/body;
  fastcgi_temp_path DIR/fastcgi;
  scgi_temp_path DIR/scgi;
  uwsgi_temp_path DIR/uwsgi;
  proxy_temp_path DIR/proxy;
  proxy_cache_path DIR/cache levels=1:2 keys_zone=all:64m max_size=4g inactive=600m use_temp_path=off;
  upstream origin { server ORIGIN; keepalive 32; }
  server {
    listen 127.0.0.1:PORT backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache all;
      proxy_cache_revalidate on;
      proxy_cache_lock on;
    }
  }
}
`},
	},
	{
		Name: "Varnish", program: "varnishd", version: []string{"-V"},
		args: []string{"-F", "-n", "DIR/work", "-a", "127.0.0.1:PORT", "-f", "DIR/default.vcl", "-j", "none",
			"-s", "malloc,256m", "-t", "0", "-p", "default_grace=0", "-p", "default_keep=3600", "-p", "listen_depth=4096", "-T", "none"},
		files: map[string]string{"default.vcl": "vcl 4.1;\nbackend default { .host = \"OHOST\"; .port = \"OPORT\"; }\n"},
	},
	{
		Name: "Traffic Server", program: "traffic_server", version: []string{"--version"},
		args: []string{"--run-root=DIR/runroot.yaml"},
		files: map[string]string{
			"runroot.yaml": `prefix: DIR
exec_prefix: DIR
bindir: /usr/bin
sbindir: /usr/bin
libexecdir: /usr/lib/trafficserver/modules
sysconfdir: DIR/etc
datadir: DIR/etc
localstatedir: DIR/state
runtimedir: DIR/run
logdir: DIR/log
cachedir: DIR/cache
`,
			"etc/records.config": `CONFIG proxy.config.http.server_ports STRING PORT:ipv4:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.http.cache.http INT 1
CONFIG proxy.config.http.cache.required_headers INT 2
CONFIG proxy.config.http.cache.ignore_client_cc_max_age INT 0
CONFIG proxy.config.http.normalize_ae INT 0
CONFIG proxy.config.http.insert_age_in_response INT 1
CONFIG proxy.config.http.keep_alive_enabled_in INT 1
CONFIG proxy.config.cache.enable_read_while_writer INT 1
CONFIG proxy.config.http.background_fill_active_timeout INT 0
CONFIG proxy.config.http.background_fill_completed_threshold FLOAT 0.0
CONFIG proxy.config.cache.max_doc_size INT 0
CONFIG proxy.config.cache.ram_cache.size INT 67108864
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.diags.output.error STRING L
`,
			"etc/remap.config":         "map / http://ORIGIN/\n",
			"etc/storage.config":       "DIR/cache 512M\n",
			"etc/plugin.config":        "",
			"etc/cache.config":         "",
			"etc/hosting.config":       "",
			"etc/parent.config":        "",
			"etc/splitdns.config":      "",
			"etc/socks.config":         "",
			"etc/volume.config":        "",
			"etc/ssl_multicert.config": "",
			"etc/ip_allow.yaml":        "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n",
			"etc/logging.yaml":         "",
			"etc/sni.yaml":             "",
			"run/.keep":                "", "log/.keep": "", "cache/.keep": "", "state/.keep": "",
		},
	},
}

// Rival is one that runs.
type Rival struct {
	Kind
	URL     string
	Version string
	cmd     *exec.Cmd
}

// Missing says why a rival cannot be run here; "" when it can.
func (k Kind) Missing() string {
	if _, err := exec.LookPath(k.program); err != nil {
		return fmt.Sprintf("SKIPPED, NOT TESTED: %s is not installed (Debian nginx-light, varnish, trafficserver)", k.program)
	}
	return ""
}

// Start runs a rival in front of an origin (host:port) until the test ends.
func (k Kind) Start(t testing.TB, origin string) *Rival {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	host, oport, err := net.SplitHostPort(origin)
	if err != nil {
		t.Fatal(err)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // else its workers could not write below dir
	}
	fill := strings.NewReplacer("DIR", dir, "ORIGIN", origin, "OHOST", host, "OPORT", oport, "PORT", strconv.Itoa(port), "USER", user)
	for name, text := range k.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := make([]string, len(k.args))
	for i, a := range k.args {
		args[i] = fill.Replace(a)
	}
	talk, err := os.Create(filepath.Join(dir, "talk"))
	if err != nil {
		t.Fatal(err)
	}
	defer talk.Close()
	r := &Rival{Kind: k, URL: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: exec.Command(k.program, args...)}
	version, _ := exec.Command(k.program, k.version...).CombinedOutput() // only printed
	r.Version = firstNumber(string(version))
	r.cmd.Stdout, r.cmd.Stderr = talk, talk
	if err := r.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	ended := make(chan struct{})
	go func() { _ = r.cmd.Wait(); close(ended) }()
	t.Cleanup(func() { end(r.cmd.Process, ended) })
	for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return r
		}
		select {
		case <-ended:
			until = time.Time{}
		default:
		}
		if time.Now().After(until) {
			said, _ := os.ReadFile(talk.Name())
			t.Fatalf("%s does not start:\n%s", k.Name, said)
		}
	}
}

// Pid is that of its first process.
func (r *Rival) Pid() int { return r.cmd.Process.Pid }

// end ends a process by its own signal, and by force when that is not heard.
func end(p *os.Process, ended <-chan struct{}) {
	_ = p.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = p.Kill()
		<-ended
	}
}

// freePort is one that nobody listened at a moment ago.
func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// firstNumber is the first word with a digit and a dot.
func firstNumber(text string) string {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" /-\n()", r) }) {
		if w[0] >= '0' && w[0] <= '9' && strings.Contains(w, ".") {
			return w
		}
	}
	return "?"
}
