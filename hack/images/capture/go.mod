module heddle.dev/hack/images/capture

go 1.26.0
