package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/small"
)

// bases are images that share all layers but the last, which each has of its own.
type bases struct {
	layers  int  // with the Debian below and the one on top
	hasUser bool // the user openhands is in the last one
}

func (b bases) repository() string {
	repository := fmt.Sprintf("scale/base%d", b.layers)
	if b.hasUser {
		repository += "-user"
	}
	return repository
}

// image is the name of base i, in the registry.
func (b bases) image(i int) string { return fmt.Sprintf("%s:%d", b.repository(), i) }

// bases makes n of them and pushes those that the registry does not have.
func (w *world) bases(ctx context.Context, b bases, n int) error {
	known, err := w.tags(ctx, b.repository())
	if err != nil {
		return err
	}
	below, err := w.below(b.layers - 1)
	if err != nil {
		return err
	}
	accounts := map[string]string{}
	if b.hasUser {
		if accounts, err = accountsOf(w.lower); err != nil {
			return err
		}
	}
	pusher, err := remote.NewPusher(remote.WithContext(ctx))
	if err != nil {
		return err
	}
	next := make(chan int)
	var errs [4]error
	var pushing sync.WaitGroup
	for k := range errs {
		pushing.Go(func() {
			for i := range next {
				if errs[k] == nil {
					errs[k] = w.pushBase(ctx, pusher, b, i, below, accounts)
				}
			}
		})
	}
	for i := range n {
		if !known[fmt.Sprint(i)] {
			next <- i
		}
	}
	close(next)
	pushing.Wait()
	return errors.Join(errs[:]...)
}

func (w *world) pushBase(ctx context.Context, pusher *remote.Pusher, b bases, i int, below v1.Image, accounts map[string]string) error {
	files := map[string]string{"etc/scale": fmt.Sprintf("base %d of %s\n", i, b.repository())}
	if b.hasUser {
		files["etc/passwd"] = accounts["etc/passwd"] + "openhands:x:1000:1000::/home/openhands:/bin/bash\n"
		files["etc/group"] = accounts["etc/group"] + "openhands:x:1000:\n"
		files["home/openhands/.profile"] = ""
	}
	img, err := small.OnTop(below, fmt.Sprintf("base %d", i), files)
	if err != nil {
		return err
	}
	to, err := name.ParseReference(w.Registry()+"/"+b.image(i), name.Insecure)
	if err != nil {
		return err
	}
	return pusher.Push(ctx, to, img)
}

// below is the Debian with so many layers in all.
func (w *world) below(layers int) (v1.Image, error) {
	img := w.lower
	have, err := img.Layers()
	if err != nil {
		return nil, err
	}
	for i := len(have); i < layers; i++ {
		if img, err = small.OnTop(img, fmt.Sprintf("layer %d", i), map[string]string{fmt.Sprintf("usr/share/scale/%d", i): "a layer\n"}); err != nil {
			return nil, err
		}
	}
	return img, nil
}

func (w *world) tags(ctx context.Context, repository string) (map[string]bool, error) {
	repo, err := name.NewRepository(w.Registry()+"/"+repository, name.Insecure)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(w.registry.repository(repository)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	list, err := remote.List(repo, remote.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	tags := map[string]bool{}
	for _, tag := range list {
		tags[tag] = true
	}
	return tags, nil
}

// accountsOf reads the account files of an image.
func accountsOf(img v1.Image) (map[string]string, error) {
	texts := map[string]string{"etc/passwd": "", "etc/group": ""}
	rc := mutate.Extract(img)
	defer rc.Close()
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		file := strings.TrimPrefix(h.Name, "./")
		if _, wanted := texts[file]; wanted {
			b, err := io.ReadAll(tr)
			if err != nil {
				return nil, err
			}
			texts[file] = string(b)
		}
	}
}
