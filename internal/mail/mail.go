// Package mail sends e-mail by SMTP.
package mail
