package remote

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// S3Config is where a bucket is.
type S3Config struct {
	Endpoint    string // HOST or HOST:PORT
	Secure      bool   // https
	Region      string
	Bucket      string
	Prefix      string // of the keys that are documents, such as "comune/"; "" is all
	Key, Secret string
	Transport   http.RoundTripper // nil: the library's own
	Retries     int               // by the library, of one request; 0: its own number
}

// S3 reads and writes documents of a bucket. Its ETags name a version, and are
// never taken for a checksum: those of multipart uploads and of many servers are
// none.
type S3 struct {
	cfg    S3Config
	core   minio.Core
	groups Groups
}

// NewS3 is a client; nothing is asked yet.
func NewS3(cfg S3Config, groups Groups) (*S3, error) {
	if cfg.Bucket == "" || cfg.Endpoint == "" {
		return nil, fault.New(fault.Invalid, "S3: endpoint and bucket are needed: write both")
	}
	c, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.Key, cfg.Secret, ""), Secure: cfg.Secure,
		Region: cfg.Region, Transport: cfg.Transport, MaxRetries: cfg.Retries, BucketLookup: minio.BucketLookupAuto,
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "S3 %s: %w", cfg.Endpoint, err)
	}
	return &S3{cfg, minio.Core{Client: c}, groups}, nil
}

// List asks for all keys below the prefix. Keys that end in a slash are folders
// as some clients make them, and no documents when they are empty.
func (s *S3) List(ctx context.Context) iter.Seq2[edge.Document, error] {
	return func(yield func(edge.Document, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		for o := range s.core.Client.ListObjects(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix, Recursive: true}) {
			if o.Err != nil {
				yield(edge.Document{}, s.err("list", s.cfg.Prefix, o.Err))
				return
			}
			if strings.HasSuffix(o.Key, "/") && o.Size == 0 {
				continue
			}
			path := strings.TrimPrefix(o.Key, s.cfg.Prefix)
			doc := edge.Document{Path: path, Size: o.Size, Modified: o.LastModified.UTC(), ETag: quoted(o.ETag), Groups: s.groups.of(path)}
			if !yield(doc, nil) {
				return
			}
		}
		// The library ends its channel without a word when ctx ends.
		if err := ctx.Err(); err != nil {
			yield(edge.Document{}, s.err("list", s.cfg.Prefix, err))
		}
	}
}

func quoted(etag string) string {
	if etag == "" {
		return ""
	}
	return `"` + strings.Trim(etag, `"`) + `"`
}

// Open asks for an object.
func (s *S3) Open(ctx context.Context, doc edge.Document, offset int64) (io.ReadCloser, edge.Document, error) {
	if err := edge.CheckPath(doc.Path); err != nil {
		return nil, doc, err
	}
	opts := minio.GetObjectOptions{Checksum: true}
	want := doc.ETag
	if want != "" {
		if err := opts.SetMatchETag(strings.Trim(want, `"`)); err != nil {
			return nil, doc, fault.As(fault.Invalid, err)
		}
	}
	if offset > 0 {
		if err := opts.SetRange(offset, 0); err != nil {
			return nil, doc, fault.As(fault.Invalid, err)
		}
	}
	body, info, head, err := s.core.GetObject(ctx, s.cfg.Bucket, s.cfg.Prefix+doc.Path, opts)
	if err != nil {
		return nil, doc, s.err("get", doc.Path, err)
	}
	doc.ETag, doc.Size, doc.Modified = quoted(info.ETag), info.Size, info.LastModified.UTC()
	if offset > 0 {
		var first, last, whole int64
		if n, _ := fmt.Sscanf(head.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &whole); n != 3 || first != offset || last != whole-1 {
			err = fault.New(fault.Refused, "get %q: another part than asked came: Content-Range %q", doc.Path, head.Get("Content-Range"))
		}
		doc.Size = whole
	}
	if want != "" && doc.ETag != "" && doc.ETag != want {
		err = fault.New(fault.Conflict, "get %q: it changed since it was listed", doc.Path)
	}
	if err != nil {
		body.Close()
		return nil, doc, err
	}
	doc.Sum = s3Sum(info.ChecksumSHA256, "sha256", 32, doc.Sum)
	if doc.Sum.Algo == "" && offset == 0 {
		doc.Sum = s3Sum(head.Get("Content-Md5"), "md5", 16, doc.Sum)
	}
	return body, doc, nil
}

// s3Sum reads a checksum in base64; one of parts ("…-3") is none of the whole.
func s3Sum(text, algo string, size int, old edge.Sum) edge.Sum {
	if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) == size {
		return edge.Sum{Algo: algo, Hex: hex.EncodeToString(b)}
	}
	return old
}

// Names are the rules of keys.
func (s *S3) Names() edge.NameRules { return edge.NameRules{Path: 1024 - len(s.cfg.Prefix)} }

// Put writes an object in one request, which S3 keeps whole or not at all.
func (s *S3) Put(ctx context.Context, path string, size int64, sum string, body io.Reader) error {
	if err := edge.CheckPath(path); err != nil {
		return err
	}
	_, err := s.core.PutObject(ctx, s.cfg.Bucket, s.cfg.Prefix+path, body, size, "", sum, minio.PutObjectOptions{
		ContentType: "application/octet-stream", UserMetadata: map[string]string{"Crinale-Sha256": sum},
		DisableContentSha256: size == 0}) // signed in chunks, nothing would be sent without its length
	return s.err("put", path, err)
}

func (s *S3) err(what, path string, err error) error {
	if err == nil {
		return nil
	}
	resp := minio.ToErrorResponse(err)
	kind := fault.Unreachable
	switch {
	case resp.StatusCode == http.StatusNotFound:
		kind = fault.NotFound
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized:
		kind = fault.Denied
	case resp.StatusCode == http.StatusPreconditionFailed:
		kind = fault.Conflict
	case resp.StatusCode >= 400 && resp.StatusCode < 500:
		kind = fault.Refused
	}
	return fault.New(kind, "%s %q in bucket %s: %w", what, path, s.cfg.Bucket, err)
}

var (
	_ edge.Source = (*S3)(nil)
	_ edge.Target = (*S3)(nil)
)
