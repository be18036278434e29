package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/remote"
	"github.com/crinale/crinale/internal/fault"
)

// placeHelp says how a place of documents is written.
const placeHelp = "A place is a folder, https://USER@HOST/PATH/ for WebDAV (Nextcloud), or\n" +
	"s3://ACCESSKEY@HOST/BUCKET/PREFIX. Its password or secret is in a file, or in\n" +
	"the environment; never in the address."

// placeFlags are those for one end of a copy.
func placeFlags(name, usage string) []cli.Flag {
	env := "CRINALE_" + strings.ToUpper(name) + "_SECRET"
	return []cli.Flag{
		&cli.StringFlag{Name: name, Usage: usage + ", a `PLACE`", Required: true},
		&cli.StringFlag{Name: name + "-secret-file", Usage: "`FILE` with its password or secret, readable by you alone; or the secret itself in " + env},
	}
}

// documentPlace is a place that documents are read from and perhaps carried to.
func documentPlace(c *cli.Context, name string, groups remote.Groups) (edge.Source, error) {
	text, secretFile := c.String(name), c.String(name+"-secret-file")
	pass := os.Getenv("CRINALE_" + strings.ToUpper(name) + "_SECRET")
	if secretFile != "" {
		var err error
		if pass, err = secret("--"+name+"-secret-file", secretFile); err != nil {
			return nil, err
		}
	}
	return openPlace("--"+name, "--"+name+"-secret-file", text, pass, groups, 0)
}

// openPlace reads a place as placeHelp says; key and secretKey are where it and its
// secret are written, for what is told about them. perSecond bounds the requests;
// 0 is any.
func openPlace(key, secretKey, text, pass string, groups remote.Groups, perSecond float64) (edge.Source, error) {
	if !strings.Contains(text, "://") {
		if st, err := os.Stat(text); err != nil || !st.IsDir() {
			return nil, fault.New(fault.NotFound, "%s %s is no folder", key, text)
		}
		return remote.NewFolder(text, groups), nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, usage("%s %q cannot be read as a place: write a folder, https://USER@HOST/PATH/ or s3://ACCESSKEY@HOST/BUCKET/PREFIX", key, text)
	}
	if _, has := u.User.Password(); has {
		return nil, usage("%s: the password stands in the address, where others see it: put it into a file and name that with %s", key, secretKey)
	}
	user := u.User.Username()
	here := loopback(u.Hostname())
	switch u.Scheme {
	case "http", "https":
		if u.Scheme == "http" && !here {
			return nil, usage("%s %s: the password would travel in clear, write https://", key, text)
		}
		u.User = nil
		return remote.NewWebDAV(u.String(), user, pass, groups, &http.Client{Transport: remote.Paced(nil, perSecond)})
	case "s3":
		bucket, prefix, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		if bucket == "" || user == "" {
			return nil, usage("%s %q: write s3://ACCESSKEY@HOST/BUCKET/PREFIX", key, text)
		}
		return remote.NewS3(remote.S3Config{Endpoint: u.Host, Secure: !here, Bucket: bucket, Prefix: prefix, Key: user, Secret: pass, Transport: s3Pace(perSecond)}, groups)
	}
	return nil, usage("%s %q: only folders, https:// and s3:// are known", key, text)
}

// s3Pace is none where none is asked for: the library has a transport of its own.
func s3Pace(perSecond float64) http.RoundTripper {
	if perSecond <= 0 {
		return nil
	}
	return remote.Paced(nil, perSecond)
}

// everyone gives all documents to one group, "" to nobody.
func everyone(group string) remote.Groups {
	if group == "" {
		return nil
	}
	return func(string) []string { return []string{group} }
}
